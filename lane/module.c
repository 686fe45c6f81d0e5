/* The module: the class `Lane`, its methods and attributes. */

#include "lane.h"

/* `checksum_is_bad` for connections that are Python's. */
static PyObject *
segment_is_bad(PyObject *Py_UNUSED(type), PyObject *arguments)
{
    const char *data;
    Py_ssize_t size, addresses;
    if (!PyArg_ParseTuple(arguments, "y#n", &data, &size, &addresses))
        return NULL;
    if (addresses < 0 || addresses > size) {
        PyErr_SetString(PyExc_ValueError, "the addresses are no part of the segment");
        return NULL;
    }
    span addressed = {(const uint8_t *)data, (size_t)size};
    return PyBool_FromLong(checksum_is_bad(addressed, (size_t)addresses));
}

static PyMethodDef lane_methods[] = {
    {"checksum_is_bad", segment_is_bad, METH_VARARGS | METH_STATIC,
     PyDoc_STR("checksum_is_bad(addressed, addresses) -> bool\n\n"
               "What the function of amtdecode/net/checksum.py says.")},
    {"walk", lane_walk, METH_VARARGS,
     PyDoc_STR("walk(buffer, position, end, number, header, big_endian, interface)\n\n"
               "Begin with a run of records; iteration goes on with it.")},
    {"passes", lane_passes, METH_O,
     PyDoc_STR("passes(packet) -> bool\n\n"
               "Whether a raw packet of an Ethernet interface is done with.")},
    {"find", lane_find, METH_O,
     PyDoc_STR("find(key)\n\n"
               "The sender of packets with this key: an endpoint, a marker, or None.")},
    {"open", lane_open, METH_VARARGS,
     PyDoc_STR("open(forward, client, server, stream)\n\n"
               "A connection with these endpoints; its number and its sides' first sequence numbers.")},
    {"ignore", lane_ignore, METH_VARARGS,
     PyDoc_STR("ignore(forward, client, base_seq, peer_base_seq, client_ended, server_ended)\n\n"
               "Nobody wants this connection.")},
    {"end", lane_end, METH_VARARGS,
     PyDoc_STR("end(forward, client, base_seq, peer_base_seq, client_ended, server_ended)\n\n"
               "It has ended.")},
    {"marker_ends", lane_marker_ends, METH_VARARGS,
     PyDoc_STR("marker_ends(key, flags)\n\n"
               "FIN or RST in a connection without state.")},
    {"remove", lane_remove, METH_O,
     PyDoc_STR("remove(key)\n\n"
               "Forget a connection.")},
    {"stream_of", lane_stream_of, METH_O,
     PyDoc_STR("stream_of(key)\n\n"
               "Number and first sequence numbers of a connection without state, or None.")},
    {"quote", lane_quote, METH_O,
     PyDoc_STR("quote(key)\n\n"
               "Number a connection of which nothing else is known.")},
    {"set_base", lane_set_base, METH_VARARGS,
     PyDoc_STR("set_base(key, stream)\n\n"
               "With which sequence numbers the sides of a connection began that is not decoded here.")},
    {"oldest", lane_oldest, METH_O,
     PyDoc_STR("oldest(count)\n\n"
               "The clients of the connections with state that are the oldest, but those that end silently: these are gone.")},
    {"ignore_udp", lane_ignore_udp, METH_O,
     PyDoc_STR("ignore_udp(key)\n\n"
               "Nobody wants this conversation.")},
    {"forget_udp", lane_forget_udp, METH_O,
     PyDoc_STR("forget_udp(key)\n\n"
               "Its later packets are numbered anew.")},
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
    static char *names[] = {"resume", "wanted", "single", "borrow", "give_back", "out", "batch_size", "all_outcomes", "markers", "ports", "openings",
                            "limits", "every", "secret", "owns", NULL};
    PyObject *owns, *resume, *wanted, *single, *borrow, *give_back, *out, *ports, *openings, *markers[4];
    long long secret;
    if (lane->resume) {
        PyErr_SetString(PyExc_RuntimeError, "a lane begins once");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OOOOOO!np(OOOO)SS(LLLLLLL)LLO", names, &resume, &wanted, &single,
                                     &borrow, &give_back, &PyList_Type, &out, &lane->batch_size, &lane->all_outcomes, &markers[0],
                                     &markers[1], &markers[2], &markers[3], &ports, &openings, &lane->max_flows,
                                     &lane->max_ignored, &lane->max_closed, &lane->max_quoted, &lane->evict,
                                     &lane->max_prefix, &lane->checked, &lane->every, &secret, &owns))
        return -1;
    if (PyBytes_Size(ports) != PORTS) {
        PyErr_SetString(PyExc_ValueError, "ports: a byte for each");
        return -1;
    }
    if (flows_begin(&lane->tcp, (uint64_t)secret) || flows_begin(&lane->udp, (uint64_t)secret)) {
        PyErr_NoMemory();
        return -1;
    }
    if (owns != Py_None) {
        Py_INCREF(owns);
        lane->owns = owns;
    }
    Py_INCREF(resume);
    Py_INCREF(wanted);
    Py_INCREF(single);
    Py_INCREF(borrow);
    Py_INCREF(give_back);
    Py_INCREF(out);
    Py_INCREF(ports);
    Py_INCREF(openings);
    lane->resume = resume;
    lane->wanted = wanted;
    lane->single = single;
    lane->borrow = borrow;
    lane->give_back = give_back;
    lane->out = out;
    lane->ports = ports;
    lane->openings = openings;
    for (int each = 0; each < 4; each++) {
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
    Py_VISIT(lane->owns);
    Py_VISIT(lane->resume);
    Py_VISIT(lane->wanted);
    Py_VISIT(lane->single);
    Py_VISIT(lane->borrow);
    Py_VISIT(lane->give_back);
    Py_VISIT(lane->out);
    return 0;
}

static int
lane_clear(PyObject *self)
{
    Lane *lane = (Lane *)self;
    Py_CLEAR(lane->owns);
    Py_CLEAR(lane->resume);
    Py_CLEAR(lane->wanted);
    Py_CLEAR(lane->single);
    Py_CLEAR(lane->borrow);
    Py_CLEAR(lane->give_back);
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
    for (int each = 0; each < 4; each++)
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
    if (!module || !type || objects_begin() || PyModule_AddObject(module, "Lane", type)) {
        Py_XDECREF(module);
        Py_XDECREF(type);
        return NULL;
    }
    return module;
}
