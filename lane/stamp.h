/* Which packet, and when. */

#ifndef LANE_STAMP_H
#define LANE_STAMP_H

#include "python.h"

#include <stdint.h>

#define UNKNOWN (-1) /* a sequence number, or a stream offset, or a side */

typedef struct {
    long long number;
    uint32_t high, low;
    PyObject *interface;
} stamp;

static inline stamp
stamp_of(long long number, uint32_t high, uint32_t low, PyObject *interface)
{
    stamp made = {number, high, low, interface};
    return made;
}

static inline void
stamp_set(stamp *one, stamp value)
{
    PyObject *before = one->interface;
    Py_INCREF(value.interface);
    *one = value;
    Py_XDECREF(before);
}

#endif
