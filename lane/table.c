/* The table of connections, as amtdecode/engine/lane.py asks it. */

#include "lane.h"

int
is_busy(const Lane *lane)
{
    if (!lane->resume || lane->busy)
        PyErr_SetString(PyExc_RuntimeError, lane->resume ? "the lane is at work" : "the lane has not begun");
    return !lane->resume || lane->busy;
}

flow *
known(Lane *lane, PyObject *key, int *sender)
{
    span bytes;
    if (is_busy(lane))
        return NULL;
    bytes = bytes_of(key);
    return bytes.data ? flows_find(&lane->tcp, bytes, sender) : NULL;
}

PyObject *
lane_find(PyObject *self, PyObject *key)
{
    Lane *lane = (Lane *)self;
    int sender;
    flow *one = known(lane, key, &sender);
    PyObject *found = Py_None;
    if (!one && PyErr_Occurred())
        return NULL;
    if (one && (one->kind == YOUNG ? hand_over(lane, one) : bulk_end(lane, one)))
        return NULL;
    if (one && one->kind == OBJECTS)
        found = one->endpoints[sender];
    else if (one && one->kind == CLOSED)
        found = lane->markers[2];
    else if (one && lacks_base(lane, one))
        found = lane->markers[3];
    else if (one && one->kind == IGNORED)
        found = lane->markers[one->ended >> sender & 1];
    Py_INCREF(found);
    return found;
}

PyObject *
lane_open(PyObject *self, PyObject *arguments)
{
    Lane *lane = (Lane *)self;
    PyObject *key, *client, *server, *stream;
    long long number = -1, base_seq[2] = {UNKNOWN, UNKNOWN};
    int sender = 0;
    span bytes;
    flow *one;
    if (!PyArg_ParseTuple(arguments, "SOOO", &key, &client, &server, &stream))
        return NULL;
    if (stream != Py_None && !PyArg_ParseTuple(stream, "LLL", &number, &base_seq[0], &base_seq[1]))
        return NULL;
    one = known(lane, key, &sender);
    if (!one && PyErr_Occurred())
        return NULL;
    if (one) {
        if (number < 0 && one->kind == QUOTED)
            number = one->number;
        flows_remove(&lane->tcp, one);
    }
    bytes = bytes_of(key);
    one = flows_add(&lane->tcp, bytes, OBJECTS);
    if (!one)
        return PyErr_NoMemory();
    one->number = number < 0 ? lane->tcp_count++ : number;
    Py_INCREF(client);
    Py_INCREF(server);
    one->endpoints[0] = client;
    one->endpoints[1] = server;
    return Py_BuildValue("(LLL)", one->number, base_seq[0], base_seq[1]);
}

PyObject *
lane_remove(PyObject *self, PyObject *key)
{
    Lane *lane = (Lane *)self;
    int sender;
    flow *one = known(lane, key, &sender);
    if (!one && PyErr_Occurred())
        return NULL;
    if (one)
        flows_remove(&lane->tcp, one);
    Py_RETURN_NONE;
}

PyObject *
lane_oldest(PyObject *self, PyObject *argument)
{
    Lane *lane = (Lane *)self;
    long long count = PyLong_AsLongLong(argument);
    PyObject *found;
    flow *one, *next;
    if ((count == -1 && PyErr_Occurred()) || is_busy(lane) || !(found = PyList_New(0)))
        return NULL;
    for (one = lane->tcp.lists[OBJECTS].oldest; one && count > 0; one = next, count--) {
        next = one->newer;
        if (ends_silently(lane, one)) {
            flows_remove(&lane->tcp, one);
            continue;
        }
        if ((one->kind == YOUNG ? hand_over(lane, one) : bulk_end(lane, one)) || PyList_Append(found, one->endpoints[0])) {
            Py_DECREF(found);
            return NULL;
        }
    }
    return found;
}
