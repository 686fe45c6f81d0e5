/* Connections of Python's: only what comes most often and says nothing is done here, on the attributes of their endpoints. */

#include "lane.h"

enum { REGULAR = 0 }; /* of amtdecode/flow/tcp.py, as these names */

static PyObject *name_mode, *name_next_seq, *name_offset, *name_skip_bytes, *name_flow, *name_last,
    *name_heard;

int
objects_begin(void)
{
    const struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&name_mode, "mode"},
        {&name_next_seq, "next_seq"},
        {&name_offset, "offset"},
        {&name_skip_bytes, "skip_bytes"},
        {&name_flow, "flow"},
        {&name_heard, "heard"},
        {&name_last, "last"},
    };
    for (size_t each = 0; each < sizeof names / sizeof *names; each++)
        if (!*names[each].name && !(*names[each].name = PyUnicode_InternFromString(names[each].text)))
            return -1;
    return 0;
}

static int
read_number(PyObject *object, PyObject *name, long long *value)
{
    PyObject *found = PyObject_GetAttr(object, name);
    int over = 0;
    if (!found)
        return -1;
    *value = PyLong_AsLongLongAndOverflow(found, &over);
    Py_DECREF(found);
    if (over)
        *value = -2; /* too long for here: no condition of the lane is met by it */
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static int
set_number(PyObject *object, PyObject *name, long long value)
{
    PyObject *made = PyLong_FromLongLong(value);
    int failed = !made || PyObject_SetAttr(object, name, made);
    Py_XDECREF(made);
    return failed;
}

/* Bytes that the dissector need not see are counted down. */
static verdict
skips(PyObject *sender, const packet *from, const headers *segment)
{
    long long next_seq, offset, skip;
    PyObject *owner, *last;
    int failed;
    if (read_number(sender, name_skip_bytes, &skip))
        return FAILED;
    if (skip < segment->size)
        return HANDED;
    if (read_number(sender, name_next_seq, &next_seq))
        return FAILED;
    if (next_seq != segment->seq)
        return HANDED;
    if (read_number(sender, name_offset, &offset) || !(owner = PyObject_GetAttr(sender, name_flow)))
        return FAILED;
    last = stamp_object(stamp_of_packet(from));
    failed = !last || PyObject_SetAttr(owner, name_last, last)
          || set_number(sender, name_next_seq, (next_seq + segment->size) & 0xFFFFFFFF)
          || set_number(sender, name_offset, offset + segment->size)
          || set_number(sender, name_skip_bytes, skip - segment->size);
    Py_XDECREF(last);
    Py_DECREF(owner);
    return failed ? FAILED : PASSED;
}

/* What it acknowledges is kept, unless that is bulk that nobody reads. */
static verdict
acknowledges(PyObject *sender, PyObject *peer, const headers *segment)
{
    long long skip;
    span ack = part(segment->addressed, segment->key.size - 4 + 8, 4);
    PyObject *heard;
    int failed;
    if (read_number(peer, name_skip_bytes, &skip))
        return FAILED;
    if (skip)
        return PASSED;
    heard = bytes_from(ack);
    failed = !heard || PyObject_SetAttr(sender, name_heard, heard);
    Py_XDECREF(heard);
    return failed ? FAILED : PASSED;
}

verdict
says_nothing(PyObject *sender, PyObject *peer, const packet *from, const headers *segment)
{
    long long mode;
    int plain = segment->flags == ACK && !segment->size;
    if (!segment->whole || segment->size < 0)
        return HANDED;
    if (!plain && (!segment->size || (segment->flags & FLAGS) != ACK))
        return HANDED;
    if (read_number(sender, name_mode, &mode))
        return FAILED;
    if (mode != REGULAR)
        return HANDED;
    return plain ? acknowledges(sender, peer, segment) : skips(sender, from, segment);
}
