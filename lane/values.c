/* From values of Python's, and to them. */

#include "lane.h"

span
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

PyObject *
bytes_from(span bytes)
{
    return PyBytes_FromStringAndSize((const char *)bytes.data, (Py_ssize_t)bytes.size);
}

PyObject *
stamp_object(stamp one)
{
    if (!one.interface)
        Py_RETURN_NONE;
    return Py_BuildValue("(LIIO)", one.number, one.high, one.low, one.interface);
}

stamp
stamp_of_packet(const packet *one)
{
    return stamp_of(one->number, one->high, one->low, one->interface);
}

PyObject *
packet_object(const packet *one)
{
    return Py_BuildValue("(LOnIIIIO)", one->number, one->buffer, (Py_ssize_t)one->start, one->captured, one->original,
                         one->high, one->low, one->interface);
}

PyObject *
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
