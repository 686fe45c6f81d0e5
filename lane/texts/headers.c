/* The header lines of the usual head, as amtdecode/protocols/http/lines.py reads them, and the parameters of the usual
   credentials, as auth.py beside it does. Anything odd (a line without a name,
   blanks around one, a control character, a name twice, bytes beyond ASCII; a backslash, a quote that stands elsewhere than
   around a value) is left to that: `None`. */

#include "texts.h"

enum { MOST_LETTERS = 64, MOST_PARAMETERS = 32 };

static void
lower(char *to, span name)
{
    for (size_t at = 0; at < name.size; at++)
        to[at] = (char)((unsigned)name.data[at] - 'A' < 26 ? name.data[at] | 32 : name.data[at]);
}

static int
add_header(PyObject *headers, PyObject *index, span name, span value)
{
    char small[MOST_LETTERS];
    PyObject *pair, *key, *both[2];
    int failed;
    lower(small, name);
    both[0] = PyUnicode_FromStringAndSize((const char *)name.data, (Py_ssize_t)name.size);
    both[1] = PyUnicode_FromStringAndSize((const char *)value.data, (Py_ssize_t)value.size);
    key = PyUnicode_FromStringAndSize(small, (Py_ssize_t)name.size);
    pair = both[0] && both[1] && key ? PyTuple_Pack(2, both[0], both[1]) : NULL;
    failed = !pair || PyList_Append(headers, pair) || PyDict_SetItem(index, key, both[1]);
    Py_XDECREF(both[0]);
    Py_XDECREF(both[1]);
    Py_XDECREF(key);
    Py_XDECREF(pair);
    return failed ? -1 : 1;
}

/* One line without its end: 1, 0 where it is odd, -1 with an error. */
static int
read_line(PyObject *headers, PyObject *index, span line)
{
    span name = {line.data, 0}, value;
    size_t first, last = line.size;
    while (name.size < line.size && line.data[name.size] != ':')
        name.size++;
    if (!name.size || name.size == line.size || name.size > MOST_LETTERS)
        return 0;
    first = name.size + 1;
    while (first < last && (line.data[first] == ' ' || line.data[first] == '\t'))
        first++;
    while (last > first && (line.data[last - 1] == ' ' || line.data[last - 1] == '\t' || line.data[last - 1] == '\r'))
        last--;
    value = part(line, first, last - first);
    if (name.data[0] == ' ' || name.data[name.size - 1] == ' ')
        return 0;
    for (size_t at = 0; at < name.size; at++)
        if ((unsigned)name.data[at] - ' ' > '~' - ' ')
            return 0;
    for (size_t at = 0; at < value.size; at++)
        if ((unsigned)value.data[at] - ' ' > '~' - ' ')
            return 0;
    return add_header(headers, index, name, value);
}

PyObject *
texts_headers(PyObject *module, PyObject *data)
{
    PyObject *headers, *index, *made = NULL;
    Py_ssize_t size;
    char *bytes;
    span head, line;
    int done = 1;
    (void)module;
    if (PyBytes_AsStringAndSize(data, &bytes, &size))
        return NULL;
    head.data = (const uint8_t *)bytes;
    head.size = (size_t)size;
    headers = PyList_New(0);
    index = PyDict_New();
    if (!headers || !index)
        done = -1;
    for (size_t at = 0; done > 0 && at <= head.size; at += line.size + 1) {
        line = part(head, at, head.size - at);
        for (size_t stop = 0; stop < line.size; stop++)
            if (line.data[stop] == '\n')
                line.size = stop;
        done = read_line(headers, index, line);
    }
    if (done > 0 && PyDict_Size(index) == PyList_Size(headers))
        made = PyTuple_Pack(2, headers, index);
    else if (done >= 0) {
        Py_INCREF(Py_None);
        made = Py_None;
    }
    Py_XDECREF(headers);
    Py_XDECREF(index);
    return made;
}

static int
is_plain(unsigned byte)
{
    return byte > ' ' && byte <= '~' && byte != ',' && byte != '"' && byte != '\\';
}

/* `name=value` or `name="value"` at `*at`, and what parts it from the next: 1, 0 where it is odd, -1 with an error. */
static int
read_parameter(PyObject *found, span text, size_t *at)
{
    char small[MOST_LETTERS];
    PyObject *key, *said = NULL;
    span name, value;
    size_t start = *at;
    int failed;
    while (is_plain(byte_at(text, *at)) && byte_at(text, *at) != '=')
        ++*at;
    name = part(text, start, *at - start);
    if (!name.size || name.size > MOST_LETTERS || byte_at(text, *at) != '=')
        return 0;
    start = ++*at;
    if (byte_at(text, start) == '"') {
        start = ++*at;
        while (is_plain(byte_at(text, *at)) || byte_at(text, *at) == ' ' || byte_at(text, *at) == ',')
            ++*at;
        value = part(text, start, *at - start);
        if (byte_at(text, (*at)++) != '"')
            return 0;
    } else {
        while (is_plain(byte_at(text, *at)))
            ++*at;
        value = part(text, start, *at - start);
        if (!value.size)
            return 0; /* blanks may follow, and the value then */
    }
    start = *at;
    while (byte_at(text, *at) == ' ' || byte_at(text, *at) == ',')
        ++*at;
    if (*at == start && *at < text.size)
        return 0;
    lower(small, name);
    key = PyUnicode_FromStringAndSize(small, (Py_ssize_t)name.size);
    failed = !key || (PyDict_GetItemWithError(found, key) ? 0 : PyErr_Occurred() ||
             !(said = PyUnicode_FromStringAndSize((const char *)value.data, (Py_ssize_t)value.size)) ||
             PyDict_SetItem(found, key, said));
    Py_XDECREF(key);
    Py_XDECREF(said);
    return failed ? -1 : 1;
}

PyObject *
texts_parameters(PyObject *module, PyObject *text)
{
    PyObject *found;
    span bytes;
    size_t at = 0;
    int done = 1;
    (void)module;
    if (!text_bytes(text, &bytes)) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return NULL;
        PyErr_Clear();
        Py_INCREF(Py_None);
        return Py_None;
    }
    found = PyDict_New();
    if (!found)
        return NULL;
    for (int count = 0; done > 0 && at < bytes.size; count++)
        done = count < MOST_PARAMETERS ? read_parameter(found, bytes, &at) : 0;
    if (done > 0)
        return found;
    Py_DECREF(found);
    if (done < 0)
        return NULL;
    Py_INCREF(Py_None);
    return Py_None;
}
