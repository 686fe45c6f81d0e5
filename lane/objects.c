/* Connections of Python's: only what comes most often and says nothing is done here. */

#include "lane.h"

enum { REGULAR = 0 }; /* of amtdecode/flow/tcp.py, as these names */

static PyObject *name_mode, *name_skip_bytes, *name_flow, *name_counts, *name_heard;

int
objects_begin(void)
{
    const struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&name_mode, "mode"},
        {&name_skip_bytes, "skip_bytes"},
        {&name_flow, "flow"},
        {&name_counts, "counts"},
        {&name_heard, "heard"},
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

/* Whether its next bytes are skipped, or are records that are only counted: 1, 0, or -1 with an error. */
static int
is_bulk(PyObject *endpoint, int sender, long long size)
{
    long long skip, counts = UNKNOWN;
    PyObject *owner, *found;
    int failed;
    if (read_number(endpoint, name_skip_bytes, &skip))
        return -1;
    if (skip >= size)
        return 1;
    owner = PyObject_GetAttr(endpoint, name_flow);
    found = owner ? PyObject_GetAttr(owner, name_counts) : NULL;
    failed = !found || (found != Py_None && (counts = PyLong_AsLongLong(found)) == -1 && PyErr_Occurred());
    Py_XDECREF(found);
    Py_XDECREF(owner);
    return failed ? -1 : counts == sender;
}

verdict
says_nothing(Lane *lane, flow *one, int sender, const packet *from, const headers *segment)
{
    PyObject *endpoint = one->endpoints[sender];
    int plain = segment->flags == ACK && !segment->size, is;
    long long mode;
    if (!segment->whole || segment->size < 0)
        return HANDED;
    if (!plain && (!segment->size || (segment->flags & FLAGS) != ACK))
        return HANDED;
    if (one->bulk)
        return bulk_goes_on(lane, one->bulk, sender, from, segment);
    if (read_number(endpoint, name_mode, &mode))
        return FAILED;
    if (mode != REGULAR)
        return HANDED;
    if (plain)
        return acknowledges(endpoint, one->endpoints[1 - sender], segment);
    is = is_bulk(endpoint, sender, segment->size);
    if (is <= 0)
        return is ? FAILED : HANDED;
    return bulk_begin(lane, one) ? FAILED : bulk_goes_on(lane, one->bulk, sender, from, segment);
}
