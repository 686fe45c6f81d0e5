/* What the lane keeps of one of Python's connections while nothing comes but bytes that nobody reads, so that they cost no
   object: the sequence numbers of both sides, and records that are only counted. It is given back before Python looks. */

#ifndef LANE_BULK_H
#define LANE_BULK_H

#include "stamp.h"

/* Of one side. */
typedef struct {
    int regular;        /* its mode is REGULAR, of amtdecode/flow/tcp.py */
    long long next_seq;
    long long offset;   /* bytes it has sent */
    long long skip;     /* of the next ones, those that need not be looked at */
    long long heard;    /* what its latest segment without data acknowledges, or UNKNOWN */
} bulk_side;

/* Records that were counted, of one side (`Counted` of amtdecode/protocols/dissector.py). */
typedef struct {
    long long records, size, spoken, last, behind;
    long long end; /* offset behind the newest segment with a header, which came in: */
    stamp stamp;
} counted;

typedef struct {
    bulk_side sides[2];
    int counts;       /* the side whose records are counted, or UNKNOWN */
    PyObject *header; /* bytes: how they begin, packed */
    counted counted;
    stamp last; /* the newest packet with data */
} bulk;

void bulk_free(bulk *one);

#endif
