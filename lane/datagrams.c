/* Conversations of UDP that nobody wants. */

#include "lane.h"

PyObject *
lane_ignore_udp(PyObject *self, PyObject *key)
{
    Lane *lane = (Lane *)self;
    int sender;
    span bytes = bytes_of(key);
    if (!bytes.data || is_busy(lane))
        return NULL;
    if (!flows_find(&lane->udp, bytes, &sender) && !flows_add(&lane->udp, bytes, IGNORED))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

PyObject *
lane_forget_udp(PyObject *self, PyObject *key)
{
    Lane *lane = (Lane *)self;
    int sender;
    span bytes = bytes_of(key);
    flow *one;
    if (!bytes.data || is_busy(lane))
        return NULL;
    one = flows_find(&lane->udp, bytes, &sender);
    if (one)
        flows_remove(&lane->udp, one);
    Py_RETURN_NONE;
}
