/* Connections without state: those that nobody wants, and those that have ended. */

#include "lane.h"

void
ignore(Lane *lane, flow *one)
{
    if (lane->tcp.lists[IGNORED].count >= lane->max_ignored)
        flows_remove_oldest(&lane->tcp, IGNORED, lane->evict);
    flows_turn(&lane->tcp, one, IGNORED);
}

void
has_closed(Lane *lane, flow *one)
{
    flows_turn(&lane->tcp, one, CLOSED);
    if (lane->tcp.lists[CLOSED].count > 2 * lane->max_closed)
        flows_remove_oldest(&lane->tcp, CLOSED, lane->max_closed);
}

void
marker_ends(Lane *lane, flow *one, int sender, int flags)
{
    int other = flows_is_loop(one) ? sender : 1 - sender;
    if (one->kind == CLOSED)
        return;
    if (flags & RST || (flags & FIN && one->ended >> other & 1))
        has_closed(lane, one);
    else if (flags & FIN)
        one->ended |= (uint8_t)(1 << sender);
}

/* The endpoints leave, and what is left of the connection is of another kind. */
static PyObject *
leave(PyObject *self, PyObject *arguments, kind to)
{
    Lane *lane = (Lane *)self;
    PyObject *key, *client;
    long long base_seq[2];
    int ended[2] = {0, 0}, sender;
    flow *one;
    if (!PyArg_ParseTuple(arguments, "SOLLpp", &key, &client, &base_seq[0], &base_seq[1], &ended[0], &ended[1]))
        return NULL;
    one = known(lane, key, &sender);
    if (!one && PyErr_Occurred())
        return NULL;
    if (!one || one->kind != OBJECTS || one->endpoints[0] != client)
        Py_RETURN_NONE;
    one->base_seq[0] = base_seq[0];
    one->base_seq[1] = base_seq[1];
    one->ended = (uint8_t)(ended[0] | ended[1] << 1);
    if (to == IGNORED)
        ignore(lane, one);
    else
        has_closed(lane, one);
    Py_RETURN_NONE;
}

PyObject *
lane_ignore(PyObject *self, PyObject *arguments)
{
    return leave(self, arguments, IGNORED);
}

PyObject *
lane_end(PyObject *self, PyObject *arguments)
{
    return leave(self, arguments, CLOSED);
}

PyObject *
lane_marker_ends(PyObject *self, PyObject *arguments)
{
    Lane *lane = (Lane *)self;
    PyObject *key;
    int flags, sender;
    flow *one;
    if (!PyArg_ParseTuple(arguments, "Si", &key, &flags))
        return NULL;
    one = known(lane, key, &sender);
    if (!one && PyErr_Occurred())
        return NULL;
    if (one && (one->kind == IGNORED || one->kind == CLOSED))
        marker_ends(lane, one, sender, flags);
    Py_RETURN_NONE;
}
