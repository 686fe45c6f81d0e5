/* Connections that are young: opened in order, and nothing of them is wanted so far. All that the loop would know of them
   is kept, so that objects can be made of them at any time. */

#include "lane.h"

#include <string.h>

enum { BOTH = 3 };

#define MAX_JUMP (1u << 30)

static int
port_is(const Lane *lane, const uint8_t *port, int what)
{
    span ports = bytes_of(lane->ports);
    return (int)byte_at(ports, (size_t)port[0] << 8 | port[1]) & what;
}

static const uint8_t *
server_port(const flow *one)
{
    return one->key + one->size - 2;
}

static const uint8_t *
client_port(const flow *one)
{
    return one->key + one->size - 4;
}

static PyObject *
side_object(const flow *one, int each)
{
    const side *own = &one->state->sides[each];
    return Py_BuildValue("(LLLLi)", one->base_seq[each], own->next_seq, own->offset, own->heard,
                         one->ended >> each & 1);
}

int
hand_over(Lane *lane, flow *one)
{
    young *state = one->state;
    PyObject *none = Py_None, *made;
    span key = {one->key, one->size};
    made = call(lane, lane->resume,
                Py_BuildValue("(NLNNNNNiNNiiOO)", bytes_from(key), one->number, stamp_object(state->first),
                              stamp_object(state->answered), stamp_object(state->ending), stamp_object(state->last),
                              PyBytes_FromStringAndSize((const char *)state->mac, sizeof state->mac), state->vlan,
                              side_object(one, 0), side_object(one, 1), state->closed_by, state->rejected,
                              state->pieces ? state->pieces : none, state->message ? state->message : none));
    if (!made)
        return -1;
    if (!PyTuple_Check(made) || PyTuple_Size(made) != 2) {
        Py_DECREF(made);
        PyErr_SetString(PyExc_TypeError, "a connection has two endpoints");
        return -1;
    }
    flows_turn(&lane->tcp, one, OBJECTS);
    for (int each = 0; each < 2; each++) {
        one->endpoints[each] = PyTuple_GetItem(made, each);
        Py_INCREF(one->endpoints[each]);
    }
    Py_DECREF(made);
    return 0;
}

/* Whether an acknowledgment is ahead of what its peer has sent. */
static int
is_ahead(const side *peer, uint32_t ack)
{
    uint32_t distance = ack - (uint32_t)peer->next_seq;
    return distance && distance < MAX_JUMP;
}

int
ends_silently(const Lane *lane, const flow *one)
{
    const side *sides;
    if (one->kind != YOUNG)
        return 0;
    if (!one->state->message && !port_is(lane, server_port(one), WATCHED))
        return 1;
    if (!one->state->answered.interface || lane->all_outcomes)
        return 0;
    sides = one->state->sides;
    for (int each = 0; each < 2; each++) /* bytes that were acknowledged and are not there? */
        if (!(one->ended >> each & 1) && sides[1 - each].heard != UNKNOWN
            && is_ahead(&sides[each], (uint32_t)sides[1 - each].heard))
            return 0;
    return 1;
}

verdict
opens(Lane *lane, const packet *from, const headers *segment)
{
    flow *one;
    int own;
    if (connections_open(lane))
        return HANDED; /* the oldest must go */
    own = is_own(lane, segment);
    if (own <= 0)
        return own ? FAILED : passes_over(lane, segment);
    one = flows_add(&lane->tcp, segment->key, YOUNG);
    if (!one)
        return HANDED;
    one->number = lane->tcp_count++;
    one->base_seq[0] = segment->seq;
    one->state->sides[0].next_seq = (segment->seq + 1) & 0xFFFFFFFF;
    one->state->vlan = segment->vlan;
    memcpy(one->state->mac, part(from->frame, 6, 6).data, 6);
    stamp_set(&one->state->first, stamp_of_packet(from));
    stamp_set(&one->state->last, stamp_of_packet(from));
    return PASSED;
}

/* The rooms that could begin with these bytes, on ports of none: a bit for each. */
static unsigned long long
candidates(const Lane *lane, span data)
{
    span openings = bytes_of(lane->openings);
    unsigned long long found = 0;
    for (size_t at = 0; at < openings.size;) {
        unsigned room = byte_at(openings, at);
        size_t classes = byte_at(openings, at + 1), place = 0;
        for (at += 2; place < classes && place < data.size; place++)
            if (!in_class(openings, at + place * CLASS_SIZE, byte_at(data, place)))
                break;
        if (place == classes || place == data.size)
            found |= 1ull << room % 64;
        at += classes * CLASS_SIZE;
    }
    return found;
}

/* Whether a room wants a connection that begins so: 1, 0, or -1 with an error. */
static int
is_wanted(Lane *lane, flow *one, int sender, span data)
{
    unsigned long long rooms = candidates(lane, data);
    span key = {one->key, one->size};
    PyObject *answer;
    int wanted;
    if (!rooms)
        return 0;
    answer = call(lane, lane->wanted, Py_BuildValue("(KNiN)", rooms, bytes_from(key), sender, bytes_from(data)));
    if (!answer)
        return -1;
    wanted = answer != Py_False;
    Py_DECREF(answer);
    return wanted;
}

/* The first bytes are one whole message, perhaps: whose port it is, says so. */
static verdict
says_one_message(Lane *lane, flow *one, int sender, const packet *from, span data)
{
    young *state = one->state;
    span key = {one->key, one->size};
    PyObject *message = call(lane, lane->single,
                             Py_BuildValue("(NLiNN)", bytes_from(key), one->number, sender, bytes_from(data),
                                           stamp_object(stamp_of_packet(from))));
    if (!message)
        return FAILED;
    if (message == Py_None) {
        Py_DECREF(message);
        return HANDED;
    }
    state->message = message;
    return SPOKEN;
}

/* Bytes that no room will begin with wait, in case one knows what the other side says. */
static verdict
waits(flow *one, int sender, const packet *from, span data)
{
    young *state = one->state;
    PyObject *piece;
    int failed;
    if (!state->pieces && !(state->pieces = PyList_New(0)))
        return FAILED;
    piece = Py_BuildValue("(iNLN)", sender, bytes_from(data), state->sides[sender].offset + (long long)data.size,
                          stamp_object(stamp_of_packet(from)));
    if (!piece)
        return FAILED;
    failed = PyList_Append(state->pieces, piece);
    Py_DECREF(piece);
    state->rejected |= 1 << sender;
    state->waiting += (long long)data.size;
    return failed ? FAILED : PASSED;
}

static verdict
brings_data(Lane *lane, flow *one, int sender, const packet *from, const headers *segment)
{
    young *state = one->state;
    side *own = &state->sides[sender];
    span data = payload(segment);
    int rejected = state->rejected | 1 << sender;
    verdict said;
    if (state->message || one->ended >> sender & 1)
        return HANDED;
    if (port_is(lane, server_port(one), WATCHED | ROOM) || port_is(lane, client_port(one), ROOM)) {
        if (!port_is(lane, server_port(one), SINGLE) || own->offset || state->pieces)
            return HANDED;
        rejected = 0;
    } else if (!(state->rejected >> sender & 1)) {
        int wanted = is_wanted(lane, one, sender, data);
        if (wanted)
            return wanted < 0 ? FAILED : HANDED;
    }
    if (rejected == BOTH || (rejected && state->waiting + segment->size > lane->max_prefix)) {
        ignore(lane, one);
        return PASSED;
    }
    if (own->offset + segment->size >= lane->checked || is_ahead(&state->sides[1 - sender], segment->ack)
        || checksum_is_bad(segment->addressed, segment->key.size - 4))
        return HANDED;
    said = rejected ? waits(one, sender, from, data) : says_one_message(lane, one, sender, from, data);
    if (said == PASSED || said == SPOKEN) {
        own->next_seq = (own->next_seq + segment->size) & 0xFFFFFFFF;
        own->offset += segment->size;
        stamp_set(&state->last, stamp_of_packet(from));
    }
    return said;
}

static verdict
finishes(Lane *lane, flow *one, int sender, const packet *from, const headers *segment)
{
    young *state = one->state;
    int peer = 1 - sender;
    if (one->ended >> sender & 1)
        return HANDED;
    if (one->ended >> peer & 1) {
        if (!ends_silently(lane, one))
            return HANDED;
        one->ended = 0;
        has_closed(lane, one);
        return PASSED;
    }
    if (is_ahead(&state->sides[peer], segment->ack))
        return HANDED;
    state->closed_by = sender;
    one->ended |= (uint8_t)(1 << sender);
    stamp_set(&state->ending, stamp_of_packet(from));
    stamp_set(&state->last, stamp_of_packet(from));
    return PASSED;
}

verdict
goes_on(Lane *lane, flow *one, int sender, const packet *from, const headers *segment)
{
    young *state = one->state;
    side *own = &state->sides[sender];
    int flags = segment->flags;
    if (!segment->whole)
        return HANDED;
    if (!state->answered.interface) {
        if (flags != SYN_ACK || segment->size || own->next_seq != UNKNOWN)
            return HANDED;
        if (one->base_seq[sender] == UNKNOWN)
            one->base_seq[sender] = segment->seq;
        own->next_seq = (segment->seq + 1) & 0xFFFFFFFF;
        stamp_set(&state->answered, stamp_of_packet(from));
        stamp_set(&state->last, stamp_of_packet(from));
        return PASSED;
    }
    if (flags == ACK && !segment->size) {
        own->heard = segment->ack;
        return PASSED;
    }
    if (segment->size < 0 || segment->seq != own->next_seq)
        return HANDED;
    if (segment->size)
        return (flags & FLAGS) == ACK ? brings_data(lane, one, sender, from, segment) : HANDED;
    return flags == FIN_ACK ? finishes(lane, one, sender, from, segment) : HANDED;
}
