/* The way of a packet: from the run of records, by its headers, to its connection. */

#include "lane.h"

#include <string.h>

static verdict
take(Lane *lane, const packet *from)
{
    headers segment;
    flow *one;
    int sender;
    if (lane->every && from->number % lane->every == 0)
        return HANDED;
    read_headers(from->frame, &segment);
    if (segment.protocol == UDP)
        return segment.total >= 28 && flows_find(&lane->udp, segment.key, &sender) ? PASSED : HANDED;
    if (segment.protocol != TCP)
        return HANDED;
    one = flows_find(&lane->tcp, segment.key, &sender);
    if (!one)
        return segment.flags == SYN && segment.whole && !segment.size
                       && memcmp(segment.key.data, segment.key.data + (segment.key.size - 4) / 2,
                                 (segment.key.size - 4) / 2)
                   ? opens(lane, from, &segment)
                   : HANDED;
    switch (one->kind) {
    case YOUNG:
        return goes_on(lane, one, sender, from, &segment);
    case OBJECTS:
        return says_nothing(lane, one, sender, from, &segment);
    case IGNORED:
    case CLOSED:
        if (segment.total < 40 || (segment.flags & SYN_ACK) == SYN)
            return HANDED;
        knows_base(lane, one, sender, &segment);
        marker_ends(lane, one, sender, segment.flags);
        return PASSED;
    default:
        return HANDED;
    }
}

/* The next record of the run; false where it is not whole. */
static int
next_record(Lane *lane, packet *found)
{
    span records = lane->records;
    size_t at = lane->position;
    uint32_t (*number)(span, size_t) = lane->big_endian ? big32 : little32;
    if (!lane->buffer || !holds(records, at, lane->header))
        return 0;
    found->high = number(records, at);
    found->low = number(records, at + 4);
    found->captured = number(records, at + 8);
    found->original = number(records, at + 12);
    found->start = at + lane->header;
    if (!holds(records, found->start, found->captured))
        return 0;
    found->frame = part(records, found->start, found->captured);
    found->buffer = lane->buffer;
    found->interface = lane->interface;
    found->number = ++lane->number;
    lane->position = found->start + found->captured;
    return 1;
}

/* What is to be given out, or a packet of the loop's; NULL at the end of the run. */
PyObject *
lane_next(PyObject *self)
{
    Lane *lane = (Lane *)self;
    packet one;
    while (next_record(lane, &one)) {
        switch (take(lane, &one)) {
        case PASSED:
            break;
        case SPOKEN:
            if (PyList_Size(lane->out) >= lane->batch_size)
                Py_RETURN_NONE;
            break;
        case HANDED:
            return packet_object(&one);
        case FAILED:
            return NULL;
        }
    }
    return NULL;
}

PyObject *
lane_walk(PyObject *self, PyObject *arguments)
{
    Lane *lane = (Lane *)self;
    PyObject *buffer, *interface, *old_buffer = lane->buffer, *old_interface = lane->interface;
    Py_ssize_t position, end;
    long long number;
    int header, big_endian;
    span bytes;
    if (!PyArg_ParseTuple(arguments, "SnnLipO", &buffer, &position, &end, &number, &header, &big_endian, &interface))
        return NULL;
    bytes = bytes_of(buffer);
    if (position < 0 || end < 0 || (size_t)end > bytes.size || header < 16 || is_busy(lane)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "no such run of records");
        return NULL;
    }
    Py_INCREF(buffer);
    Py_INCREF(interface);
    lane->buffer = buffer;
    lane->interface = interface;
    Py_XDECREF(old_buffer);
    Py_XDECREF(old_interface);
    lane->records = part(bytes, 0, (size_t)end);
    lane->position = (size_t)position;
    lane->number = number;
    lane->header = (unsigned)header;
    lane->big_endian = big_endian;
    Py_RETURN_NONE;
}

PyObject *
lane_passes(PyObject *self, PyObject *argument)
{
    Lane *lane = (Lane *)self;
    packet one;
    Py_ssize_t start;
    unsigned int captured, original, high, low;
    if (!PyTuple_Check(argument)) {
        PyErr_SetString(PyExc_TypeError, "a raw packet is a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(argument, "LSnIIIIO", &one.number, &one.buffer, &start, &captured, &original, &high, &low,
                          &one.interface)
        || is_busy(lane))
        return NULL;
    one.start = start < 0 ? 0 : (size_t)start;
    one.captured = captured;
    one.original = original;
    one.high = high;
    one.low = low;
    one.frame = part(bytes_of(one.buffer), one.start, captured);
    if (one.frame.size != captured)
        Py_RETURN_FALSE;
    switch (take(lane, &one)) {
    case PASSED:
    case SPOKEN:
        Py_RETURN_TRUE;
    case HANDED:
        Py_RETURN_FALSE;
    default:
        return NULL;
    }
}
