/* The compiled lane: walks packets in front of the loop of amtdecode/engine/loop.py, and hands over what it does not do.

   It says and keeps what that loop and amtdecode/flow/table.py would: those are the reference. The design is in
   docs/architecture.md, "The lane". */

#include "python.h"
#include "cursor.h"
#include "flows.h"
#include "headers.h"

#include <string.h>

enum { PSH = 0x08, SYN_ACK = SYN | ACK, FIN_ACK = FIN | ACK, PSH_ACK = PSH | ACK };
enum { WATCHED = 1, ROOM = 2, SINGLE = 4 }; /* of a port */
enum { PORTS = 1 << 16 };
enum { BOTH = 3 };
enum { REGULAR = 0 }; /* of amtdecode/flow/tcp.py, as the names below */

#define MAX_JUMP (1u << 30)
#define CLASS_SIZE 32 /* bytes that tell of each byte whether it is in a class */

typedef enum {
    FAILED = -1,
    PASSED,  /* done with */
    SPOKEN,  /* the same, and something was stated */
    HANDED,  /* the loop's */
} verdict;

typedef struct {
    PyObject_HEAD
    flows tcp, udp; /* of UDP only conversations that nobody wants */
    long long tcp_count;
    int busy; /* inside a call of Python's */

    /* what the engine wants */
    PyObject *resume, *wanted, *single; /* called: a connection becomes Python's; whether a room wants bytes; or is one message */
    PyObject *out;             /* list of observations, given out when it holds so many: */
    Py_ssize_t batch_size;
    int all_outcomes;
    PyObject *markers[3]; /* of one side of a connection without state: ignored, ending, closed */
    PyObject *ports;      /* bytes: of each port, what it is */
    PyObject *openings;   /* bytes of one after the other: whose it is, its number of classes, and these */
    long long max_flows, max_ignored, max_closed, max_quoted, evict, max_prefix, checked;
    long long every; /* hand over each packet whose number this divides; 0 for none. For tests */

    /* the run of records under way */
    PyObject *buffer, *interface;
    span records;
    size_t position;
    unsigned header;
    int big_endian;
    long long number;
} Lane;

typedef struct {
    long long number;
    PyObject *buffer;
    size_t start;
    uint32_t captured, original, high, low;
    PyObject *interface;
    span frame;
} packet;

static PyObject *name_mode, *name_next_seq, *name_offset, *name_skip_bytes, *name_flow, *name_last,
    *name_heard;

/* -- values ------------------------------------------------------------------------------------------------------- */

static span
bytes_of(PyObject *object)
{
    span found = {NULL, 0};
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(object, &data, &size) == 0) {
        found.data = (const uint8_t *)data;
        found.size = (size_t)size;
    }
    return found;
}

static PyObject *
bytes_from(span bytes)
{
    return PyBytes_FromStringAndSize((const char *)bytes.data, (Py_ssize_t)bytes.size);
}

static PyObject *
stamp_object(stamp one)
{
    if (!one.interface)
        Py_RETURN_NONE;
    return Py_BuildValue("(LIIO)", one.number, one.high, one.low, one.interface);
}

static stamp
stamp_of_packet(const packet *one)
{
    return stamp_of(one->number, one->high, one->low, one->interface);
}

static PyObject *
packet_object(const packet *one)
{
    return Py_BuildValue("(LOnIIIIO)", one->number, one->buffer, (Py_ssize_t)one->start, one->captured, one->original,
                         one->high, one->low, one->interface);
}

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

/* -- the table ---------------------------------------------------------------------------------------------------- */

/* Call Python. It must not come back to the table meanwhile. */
static PyObject *
call(Lane *lane, PyObject *function, PyObject *arguments)
{
    PyObject *result = NULL;
    if (arguments) {
        lane->busy = 1;
        result = PyObject_Call(function, arguments, NULL);
        lane->busy = 0;
        Py_DECREF(arguments);
    }
    return result;
}

static PyObject *
side_object(const flow *one, int each)
{
    const side *own = &one->state->sides[each];
    return Py_BuildValue("(LLLLi)", one->base_seq[each], own->next_seq, own->offset, own->heard,
                         one->ended >> each & 1);
}

/* Make objects of a young connection. It is Python's from now on. */
static int
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

static void
ignore(Lane *lane, flow *one)
{
    if (lane->tcp.lists[IGNORED].count >= lane->max_ignored)
        flows_remove_oldest(&lane->tcp, IGNORED, lane->evict);
    flows_turn(&lane->tcp, one, IGNORED);
}

static void
has_closed(Lane *lane, flow *one)
{
    flows_turn(&lane->tcp, one, CLOSED);
    if (lane->tcp.lists[CLOSED].count > 2 * lane->max_closed)
        flows_remove_oldest(&lane->tcp, CLOSED, lane->max_closed);
}

static void
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

/* Whether an acknowledgment is ahead of what its peer has sent. */
static int
is_ahead(const side *peer, uint32_t ack)
{
    uint32_t distance = ack - (uint32_t)peer->next_seq;
    return distance && distance < MAX_JUMP;
}

/* Whether nothing would be stated if the capture ended, or the connection were given up, here. */
static int
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

/* -- connections that are young ----------------------------------------------------------------------------------- */

static verdict
opens(Lane *lane, const packet *from, const headers *segment)
{
    flow *one;
    if (lane->tcp.lists[OBJECTS].count >= lane->max_flows)
        return HANDED; /* the oldest must go */
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
        for (at += 2; place < classes && place < data.size; place++) {
            unsigned value = byte_at(data, place);
            if (!(byte_at(openings, at + place * CLASS_SIZE + value / 8) >> value % 8 & 1))
                break;
        }
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
        || checksum_is_bad(segment))
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

static verdict
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

/* -- connections of Python's -------------------------------------------------------------------------------------- */

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

/* The two things that come most often and say nothing: a plain acknowledgment, and bytes to be skipped. */
static verdict
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

/* -- packets ------------------------------------------------------------------------------------------------------ */

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
        return says_nothing(one->endpoints[sender], one->endpoints[1 - sender], from, &segment);
    case IGNORED:
    case CLOSED:
        if (segment.total < 40 || (segment.flags & SYN_ACK) == SYN)
            return HANDED;
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
static PyObject *
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

/* -- the interface ------------------------------------------------------------------------------------------------ */

static int
is_busy(const Lane *lane)
{
    if (!lane->resume || lane->busy)
        PyErr_SetString(PyExc_RuntimeError, lane->resume ? "the lane is at work" : "the lane has not begun");
    return !lane->resume || lane->busy;
}

/* The connection of a key given as bytes; NULL with an error set, or without where it is not known. */
static flow *
known(Lane *lane, PyObject *key, int *sender)
{
    span bytes;
    if (is_busy(lane))
        return NULL;
    bytes = bytes_of(key);
    return bytes.data ? flows_find(&lane->tcp, bytes, sender) : NULL;
}

PyDoc_STRVAR(walk_doc, "walk(buffer, position, end, number, header, big_endian, interface)\n\n"
                       "Begin with a run of records; iteration goes on with it.");

static PyObject *
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

PyDoc_STRVAR(passes_doc, "passes(packet) -> bool\n\nWhether a raw packet of an Ethernet interface is done with.");

static PyObject *
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

PyDoc_STRVAR(find_doc, "find(key)\n\nThe sender of packets with this key: an endpoint, a marker, or None.");

static PyObject *
lane_find(PyObject *self, PyObject *key)
{
    Lane *lane = (Lane *)self;
    int sender;
    flow *one = known(lane, key, &sender);
    PyObject *found = Py_None;
    if (!one && PyErr_Occurred())
        return NULL;
    if (one && one->kind == YOUNG && hand_over(lane, one))
        return NULL;
    if (one && one->kind == OBJECTS)
        found = one->endpoints[sender];
    else if (one && one->kind == CLOSED)
        found = lane->markers[2];
    else if (one && one->kind == IGNORED)
        found = lane->markers[one->ended >> sender & 1];
    Py_INCREF(found);
    return found;
}

PyDoc_STRVAR(open_doc, "open(forward, client, server, stream)\n\n"
                       "A connection with these endpoints; its number and its sides' first sequence numbers.");

static PyObject *
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

PyDoc_STRVAR(ignore_doc, "ignore(forward, client, base_seq, peer_base_seq, client_ended, server_ended)\n\n"
                         "Nobody wants this connection.");

static PyObject *
lane_ignore(PyObject *self, PyObject *arguments)
{
    return leave(self, arguments, IGNORED);
}

PyDoc_STRVAR(end_doc, "end(forward, client, base_seq, peer_base_seq, client_ended, server_ended)\n\n"
                        "It has ended.");

static PyObject *
lane_end(PyObject *self, PyObject *arguments)
{
    return leave(self, arguments, CLOSED);
}

PyDoc_STRVAR(marker_ends_doc, "marker_ends(key, flags)\n\nFIN or RST in a connection without state.");

static PyObject *
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

PyDoc_STRVAR(remove_doc, "remove(key)\n\nForget a connection.");

static PyObject *
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

PyDoc_STRVAR(stream_of_doc, "stream_of(key)\n\nNumber and first sequence numbers of a connection without state, or None.");

static PyObject *
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

PyDoc_STRVAR(quote_doc, "quote(key)\n\nNumber a connection of which nothing else is known.");

static PyObject *
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

PyDoc_STRVAR(oldest_doc, "oldest(count)\n\n"
                         "The clients of the connections with state that are the oldest, but those that end silently: these are gone.");

static PyObject *
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
        if ((one->kind == YOUNG && hand_over(lane, one)) || PyList_Append(found, one->endpoints[0])) {
            Py_DECREF(found);
            return NULL;
        }
    }
    return found;
}

PyDoc_STRVAR(ignore_udp_doc, "ignore_udp(key)\n\nNobody wants this conversation.");

static PyObject *
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

PyDoc_STRVAR(forget_udp_doc, "forget_udp(key)\n\nIts later packets are numbered anew.");

static PyObject *
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

static PyMethodDef lane_methods[] = {
    {"walk", lane_walk, METH_VARARGS, walk_doc},
    {"passes", lane_passes, METH_O, passes_doc},
    {"find", lane_find, METH_O, find_doc},
    {"open", lane_open, METH_VARARGS, open_doc},
    {"ignore", lane_ignore, METH_VARARGS, ignore_doc},
    {"end", lane_end, METH_VARARGS, end_doc},
    {"marker_ends", lane_marker_ends, METH_VARARGS, marker_ends_doc},
    {"remove", lane_remove, METH_O, remove_doc},
    {"stream_of", lane_stream_of, METH_O, stream_of_doc},
    {"quote", lane_quote, METH_O, quote_doc},
    {"oldest", lane_oldest, METH_O, oldest_doc},
    {"ignore_udp", lane_ignore_udp, METH_O, ignore_udp_doc},
    {"forget_udp", lane_forget_udp, METH_O, forget_udp_doc},
    {NULL, NULL, 0, NULL},
};

static PyObject *
get_number(PyObject *self, void *nothing)
{
    (void)nothing;
    return PyLong_FromLongLong(((Lane *)self)->number);
}

static PyObject *
get_position(PyObject *self, void *nothing)
{
    (void)nothing;
    return PyLong_FromSize_t(((Lane *)self)->position);
}

static PyObject *
get_flows(PyObject *self, void *nothing)
{
    (void)nothing;
    return PyLong_FromLongLong(((Lane *)self)->tcp.lists[OBJECTS].count);
}

static PyObject *
get_kept(PyObject *self, void *nothing)
{
    struct list *lists = ((Lane *)self)->tcp.lists;
    (void)nothing;
    return Py_BuildValue("(LLLL)", lists[OBJECTS].count, lists[IGNORED].count, lists[CLOSED].count,
                         lists[QUOTED].count);
}

static PyObject *
get_count(PyObject *self, void *nothing)
{
    (void)nothing;
    return PyLong_FromLongLong(((Lane *)self)->tcp_count);
}

static PyGetSetDef lane_attributes[] = {
    {"number", get_number, NULL, "Id of the last packet walked.", NULL},
    {"position", get_position, NULL, "Where the next record begins.", NULL},
    {"flows", get_flows, NULL, "Connections with state.", NULL},
    {"kept", get_kept, NULL, "These, and those that are ignored, have ended, and are only numbered.", NULL},
    {"tcp_count", get_count, NULL, "Connections numbered so far.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static int
lane_init(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    Lane *lane = (Lane *)self;
    static char *names[] = {"resume", "wanted", "single", "out", "batch_size", "all_outcomes", "markers", "ports", "openings",
                            "limits", "every", "secret", NULL};
    PyObject *resume, *wanted, *single, *out, *ports, *openings, *markers[3];
    long long secret;
    if (lane->resume) {
        PyErr_SetString(PyExc_RuntimeError, "a lane begins once");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OOOO!np(OOO)SS(LLLLLLL)LL", names, &resume, &wanted, &single,
                                     &PyList_Type, &out, &lane->batch_size, &lane->all_outcomes, &markers[0],
                                     &markers[1], &markers[2], &ports, &openings, &lane->max_flows,
                                     &lane->max_ignored, &lane->max_closed, &lane->max_quoted, &lane->evict,
                                     &lane->max_prefix, &lane->checked, &lane->every, &secret))
        return -1;
    if (PyBytes_Size(ports) != PORTS) {
        PyErr_SetString(PyExc_ValueError, "ports: a byte for each");
        return -1;
    }
    if (flows_begin(&lane->tcp, (uint64_t)secret) || flows_begin(&lane->udp, (uint64_t)secret)) {
        PyErr_NoMemory();
        return -1;
    }
    Py_INCREF(resume);
    Py_INCREF(wanted);
    Py_INCREF(single);
    Py_INCREF(out);
    Py_INCREF(ports);
    Py_INCREF(openings);
    lane->resume = resume;
    lane->wanted = wanted;
    lane->single = single;
    lane->out = out;
    lane->ports = ports;
    lane->openings = openings;
    for (int each = 0; each < 3; each++) {
        Py_INCREF(markers[each]);
        lane->markers[each] = markers[each];
    }
    return 0;
}

static int
lane_traverse(PyObject *self, visitproc visit, void *arg)
{
    Lane *lane = (Lane *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(lane->resume);
    Py_VISIT(lane->wanted);
    Py_VISIT(lane->single);
    Py_VISIT(lane->out);
    return 0;
}

static int
lane_clear(PyObject *self)
{
    Lane *lane = (Lane *)self;
    Py_CLEAR(lane->resume);
    Py_CLEAR(lane->wanted);
    Py_CLEAR(lane->single);
    Py_CLEAR(lane->out);
    return 0;
}

static void
lane_dealloc(PyObject *self)
{
    Lane *lane = (Lane *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    lane_clear(self);
    if (lane->tcp.buckets)
        flows_end(&lane->tcp);
    if (lane->udp.buckets)
        flows_end(&lane->udp);
    Py_CLEAR(lane->ports);
    Py_CLEAR(lane->openings);
    Py_CLEAR(lane->buffer);
    Py_CLEAR(lane->interface);
    for (int each = 0; each < 3; each++)
        Py_CLEAR(lane->markers[each]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot lane_slots[] = {
    {Py_tp_doc, "Walks packets, keeps the table of connections, and gives those packets that the loop must read."},
    {Py_tp_init, lane_init},
    {Py_tp_traverse, lane_traverse},
    {Py_tp_clear, lane_clear},
    {Py_tp_dealloc, lane_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, lane_next},
    {Py_tp_methods, lane_methods},
    {Py_tp_getset, lane_attributes},
    {0, NULL},
};

static PyType_Spec lane_spec = {
    .name = "amtdecode.engine._lane.Lane",
    .basicsize = sizeof(Lane),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = lane_slots,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "amtdecode.engine._lane",
    .m_doc = "The compiled lane; see lane.py.",
    .m_size = -1,
};

PyMODINIT_FUNC
PyInit__lane(void)
{
    PyObject *module = PyModule_Create(&definition), *type = PyType_FromSpec(&lane_spec);
    if (!module || !type || PyModule_AddObject(module, "Lane", type)) {
        Py_XDECREF(module);
        Py_XDECREF(type);
        return NULL;
    }
    name_mode = PyUnicode_InternFromString("mode");
    name_next_seq = PyUnicode_InternFromString("next_seq");
    name_offset = PyUnicode_InternFromString("offset");
    name_skip_bytes = PyUnicode_InternFromString("skip_bytes");
    name_flow = PyUnicode_InternFromString("flow");
    name_heard = PyUnicode_InternFromString("heard");
    name_last = PyUnicode_InternFromString("last");
    return module;
}
