/* The compiled lane: walks packets in front of the loop of amtdecode/engine/loop.py, and hands over what it does not do.

   It says and keeps what that loop and amtdecode/flow/table.py would: those are the reference. The design is in
   docs/architecture.md, "The lane". What its files share is here; each of them has one subject:

   records.c    the way of a packet: run, headers, connection
   young.c      connections that nothing irregular has come to
   objects.c    connections of Python's
   bulk.c       of these, bytes that nobody reads
   markers.c    connections without state
   table.c      what Python's half asks of the table, and numbers.c of its numbers
   datagrams.c  conversations of UDP
   shares.c     connections that another process decodes
   values.c     from Python's values and to them
   module.c     the class and its methods */

#ifndef LANE_LANE_H
#define LANE_LANE_H

#include "python.h"
#include "cursor.h"
#include "flows.h"
#include "headers.h"

enum { PSH = 0x08, SYN_ACK = SYN | ACK, FIN_ACK = FIN | ACK, PSH_ACK = PSH | ACK };
enum { WATCHED = 1, ROOM = 2, SINGLE = 4 }; /* of a port */
enum { PORTS = 1 << 16 };

typedef enum {
    FAILED = -1,
    PASSED,  /* done with */
    SPOKEN,  /* the same, and something was stated */
    HANDED,  /* the loop's */
} verdict;

typedef struct {
    PyObject_HEAD
    flows tcp, udp; /* of UDP only conversations that nobody wants */
    long long tcp_count;
    int busy; /* inside a call of Python's */

    /* what the engine wants */
    PyObject *owns;    /* called: whether a connection is decoded here; NULL where all are */
    PyObject *resume, *wanted, *single; /* called: a connection becomes Python's; whether a room wants bytes; or is one message */
    PyObject *borrow, *give_back;       /* called: bulk of one of Python's begins, and is over */
    PyObject *out;             /* list of observations, given out when it holds so many: */
    Py_ssize_t batch_size;
    int all_outcomes;
    PyObject *markers[4]; /* of one side of a connection without state: ignored, ending, closed, passed over */
    PyObject *ports;      /* bytes: of each port, what it is */
    PyObject *openings;   /* bytes of one after the other: whose it is, its number of classes, and these */
    long long max_flows, max_ignored, max_closed, max_quoted, evict, max_prefix, checked;
    long long every; /* hand over each packet whose number this divides; 0 for none. For tests */

    /* the run of records under way */
    PyObject *buffer, *interface;
    span records;
    size_t position;
    unsigned header;
    int big_endian;
    long long number;
} Lane;

typedef struct {
    long long number;
    PyObject *buffer;
    size_t start;
    uint32_t captured, original, high, low;
    PyObject *interface;
    span frame;
} packet;

/* values.c */
span bytes_of(PyObject *object);
PyObject *bytes_from(span bytes);
stamp stamp_of_packet(const packet *one);
PyObject *stamp_object(stamp one);
PyObject *packet_object(const packet *one);

/* Call Python. It must not come back to the table meanwhile. */
PyObject *call(Lane *lane, PyObject *function, PyObject *arguments);

/* table.c: whether Python is called at the moment, with an error set; the connection of a key given as bytes, or NULL with an
   error set, or without where it is not known. */
int is_busy(const Lane *lane);
flow *known(Lane *lane, PyObject *key, int *sender);

/* young.c: a SYN, and what follows it; whether nothing would be stated if the capture ended, or the connection were given
   up, here; make objects of it: it is Python's from then on. */
verdict opens(Lane *lane, const packet *from, const headers *segment);
verdict goes_on(Lane *lane, flow *one, int sender, const packet *from, const headers *segment);
int ends_silently(const Lane *lane, const flow *one);
int hand_over(Lane *lane, flow *one);

/* objects.c: what comes most often and says nothing, plain acknowledgments and bytes that nobody reads. */
int objects_begin(void);
verdict says_nothing(Lane *lane, flow *one, int sender, const packet *from, const headers *segment);

/* bulk.c: bulk begins; a segment of it; give back to Python what is known of it, if any. */
int bulk_begin(Lane *lane, flow *one);
verdict bulk_goes_on(const Lane *lane, bulk *state, int sender, const packet *from, const headers *segment);
int bulk_end(Lane *lane, flow *one);

/* shares.c: whether a connection is decoded here (-1 with an error); whether so many are open that some must go, perhaps; a SYN of
   one that is not decoded here; whether that has yet to tell how its sides began, and what a segment tells of it. */
int is_own(Lane *lane, const headers *segment);
int connections_open(const Lane *lane);
verdict passes_over(Lane *lane, const headers *segment);
int lacks_base(const Lane *lane, const flow *one);
void knows_base(const Lane *lane, flow *one, int sender, const headers *segment);

/* markers.c */
void ignore(Lane *lane, flow *one);
void has_closed(Lane *lane, flow *one);
void marker_ends(Lane *lane, flow *one, int sender, int flags);

/* Whether a byte is in the class that stands there, one of `Opening` of amtdecode/protocols/dissector.py. */
#define CLASS_SIZE 32
static inline int
in_class(span packed, size_t at, unsigned byte)
{
    return (int)byte_at(packed, at + byte / 8) >> byte % 8 & 1;
}

/* Methods; module.c says what they are for. */
PyObject *lane_next(PyObject *self);
PyObject *lane_walk(PyObject *self, PyObject *arguments);
PyObject *lane_passes(PyObject *self, PyObject *packet);
PyObject *lane_find(PyObject *self, PyObject *key);
PyObject *lane_open(PyObject *self, PyObject *arguments);
PyObject *lane_remove(PyObject *self, PyObject *key);
PyObject *lane_oldest(PyObject *self, PyObject *count);
PyObject *lane_ignore(PyObject *self, PyObject *arguments);
PyObject *lane_end(PyObject *self, PyObject *arguments);
PyObject *lane_marker_ends(PyObject *self, PyObject *arguments);
PyObject *lane_stream_of(PyObject *self, PyObject *key);
PyObject *lane_quote(PyObject *self, PyObject *key);
PyObject *lane_set_base(PyObject *self, PyObject *arguments);
PyObject *lane_ignore_udp(PyObject *self, PyObject *key);
PyObject *lane_forget_udp(PyObject *self, PyObject *key);

#endif
