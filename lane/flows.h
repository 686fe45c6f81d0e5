/* The table of connections: what amtdecode/flow/table.py keeps in dictionaries, with the same order and the same caps.

   A connection is in exactly one list, by its kind, the oldest first. */

#ifndef LANE_FLOWS_H
#define LANE_FLOWS_H

#include "python.h"
#include "bulk.h"
#include "cursor.h"
#include "stamp.h"

#define KEY_SIZE 36

typedef enum {
    YOUNG,   /* opened in order; no byte of it is wanted so far. Known here only */
    OBJECTS, /* Python's, which has objects for it; for good */
    IGNORED, /* nobody wants it */
    CLOSED,  /* it has ended */
    QUOTED,  /* only its number is known */
    KINDS
} kind;

/* Of one side. */
typedef struct {
    long long next_seq; /* UNKNOWN before it has sent anything */
    long long offset;   /* bytes it has sent */
    long long heard;    /* what its latest segment without data acknowledges, or UNKNOWN */
} side;

/* What is kept of a connection until it is Python's, ignored or closed. */
typedef struct {
    side sides[2];
    stamp first, answered, ending, last; /* SYN; SYN with ACK; the first FIN; the last that says something */
    uint8_t mac[6];
    int vlan;
    int closed_by;    /* the side whose FIN was first; UNKNOWN */
    int rejected;     /* a bit for each side whose first bytes no room wants */
    long long waiting; /* bytes in `pieces` */
    PyObject *pieces; /* list of (side, bytes, offset behind them, stamp), or NULL */
    PyObject *message; /* `TcpFlow.first_message`, or NULL */
} young;

typedef struct flow {
    struct flow *chain;         /* the next in its bucket */
    struct flow *older, *newer; /* in its list */
    uint64_t hash;
    long long number;
    long long base_seq[2];
    young *state;           /* of a YOUNG one */
    PyObject *endpoints[2]; /* of one of Python's */
    bulk *bulk;             /* of the same, or NULL */
    kind kind;
    uint8_t ended; /* a bit for each side that has sent a FIN */
    uint8_t size;
    uint8_t key[KEY_SIZE]; /* of the client's packets */
} flow;

typedef struct {
    flow **buckets;
    size_t size, count; /* buckets, a power of two; connections */
    struct list {
        flow *oldest, *newest;
        long long count;
    } lists[KINDS];
    uint64_t secret;
} flows;

int flows_begin(flows *table, uint64_t secret);
void flows_end(flows *table);

/* The connection of a packet, and the side that sent it; NULL where it is not known. */
flow *flows_find(const flows *table, span key, int *sender);

/* A new connection of a kind, its client's key given; NULL where there is no memory. */
flow *flows_add(flows *table, span key, kind kind);

/* Make it one of another kind, the newest of them. What belongs to the old kind goes. */
void flows_turn(flows *table, flow *one, kind kind);
void flows_remove(flows *table, flow *one);
void flows_remove_oldest(flows *table, kind kind, long long count);

/* Whether both ends are the same address and port. */
int flows_is_loop(const flow *one);

#endif
