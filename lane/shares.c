/* Where several processes read a capture, each decodes its share of the connections (amtdecode/flow/share.py). Of the others
   it keeps a number, a marker, and with which sequence numbers their sides began. */

#include "lane.h"

int
is_own(Lane *lane, const headers *segment)
{
    PyObject *answer;
    int own;
    if (!lane->owns)
        return 1;
    answer = call(lane, lane->owns, Py_BuildValue("(N)", bytes_from(segment->key)));
    if (!answer)
        return -1;
    own = answer != Py_False;
    Py_DECREF(answer);
    return own;
}

int
connections_open(const Lane *lane)
{
    long long others = lane->owns ? lane->tcp.lists[IGNORED].count : 0;
    return lane->tcp.lists[OBJECTS].count + others >= lane->max_flows;
}

verdict
passes_over(Lane *lane, const headers *segment)
{
    flow *one = flows_add(&lane->tcp, segment->key, IGNORED);
    if (!one)
        return HANDED;
    one->number = lane->tcp_count++;
    one->base_seq[0] = segment->seq;
    return PASSED;
}

int
lacks_base(const Lane *lane, const flow *one)
{
    return lane->owns && one->kind == IGNORED && (one->base_seq[0] == UNKNOWN || one->base_seq[1] == UNKNOWN);
}

void
knows_base(const Lane *lane, flow *one, int sender, const headers *segment)
{
    long long *base_seq = one->base_seq;
    if (segment->size < 0 || !lacks_base(lane, one))
        return;
    if (flows_is_loop(one))
        sender = 0;
    if (base_seq[sender] == UNKNOWN)
        base_seq[sender] = segment->flags & SYN ? segment->seq : (segment->seq - 1) & 0xFFFFFFFF;
    if (base_seq[1 - sender] == UNKNOWN && segment->flags & ACK)
        base_seq[1 - sender] = (segment->ack - 1) & 0xFFFFFFFF;
}

PyObject *
lane_set_base(PyObject *self, PyObject *arguments)
{
    Lane *lane = (Lane *)self;
    PyObject *key;
    long long number, base_seq[2];
    int sender;
    flow *one;
    if (!PyArg_ParseTuple(arguments, "S(LLL)", &key, &number, &base_seq[0], &base_seq[1]))
        return NULL;
    one = known(lane, key, &sender);
    if (!one && PyErr_Occurred())
        return NULL;
    if (one && one->kind == IGNORED) {
        if (flows_is_loop(one))
            sender = 0;
        one->base_seq[sender] = base_seq[0];
        one->base_seq[1 - sender] = base_seq[1];
    }
    Py_RETURN_NONE;
}
