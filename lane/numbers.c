/* The numbers of connections: each has one, in the order of appearance (amtdecode/flow/streams.py). */

#include "lane.h"

PyObject *
lane_stream_of(PyObject *self, PyObject *key)
{
    Lane *lane = (Lane *)self;
    int sender;
    flow *one = known(lane, key, &sender);
    if (!one && PyErr_Occurred())
        return NULL;
    if (!one || one->kind == YOUNG || one->kind == OBJECTS)
        Py_RETURN_NONE;
    if (flows_is_loop(one))
        sender = 0;
    return Py_BuildValue("(LLL)", one->number, one->base_seq[sender], one->base_seq[1 - sender]);
}

PyObject *
lane_quote(PyObject *self, PyObject *key)
{
    Lane *lane = (Lane *)self;
    int sender;
    flow *one = known(lane, key, &sender);
    if (!one && PyErr_Occurred())
        return NULL;
    if (!one) {
        if (lane->tcp.lists[QUOTED].count >= lane->max_quoted)
            flows_remove_oldest(&lane->tcp, QUOTED, lane->evict);
        one = flows_add(&lane->tcp, bytes_of(key), QUOTED);
        if (!one)
            return PyErr_NoMemory();
        one->number = lane->tcp_count++;
    }
    return PyLong_FromLongLong(one->number);
}
