/* The usual head of an HTTP message, as amtdecode/protocols/http/framing.py and lines.py read it, a body in chunks that is
   all there, as body_framing.py does, and the parameters of the usual credentials, as auth.py. Anything odd (a line without
   a name, blanks around one, a control character, a name twice, bytes beyond ASCII; a chunk with an extension, trailers; a
   backslash, a quote that stands elsewhere than around a value) is left to those: `None`. */

#include "texts.h"

#include <string.h>

enum { MOST_LETTERS = 64, MOST_PARAMETERS = 32, MOST_DIGITS = 6 };

static PyObject *
none(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *
text(span bytes)
{
    return PyUnicode_FromStringAndSize((const char *)bytes.data, (Py_ssize_t)bytes.size);
}

/* What stands before the next line end. */
static span
line_at(span bytes, size_t at)
{
    span left = part(bytes, at, bytes.size - at);
    const uint8_t *end = left.size ? memchr(left.data, '\n', left.size) : NULL;
    if (end)
        left.size = (size_t)(end - left.data);
    return left;
}

static int
is_ended(span bytes, size_t at, span line)
{
    return byte_at(bytes, at + line.size) == '\n';
}

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
    both[0] = text(name);
    both[1] = text(value);
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

static int
is_digit(unsigned byte)
{
    return byte - '0' < 10;
}

/* `HTTP/1.1` at the beginning of a span. */
static int
is_version(span found)
{
    return found.size == 8 && !memcmp(found.data, "HTTP/1.", 7) && is_digit(found.data[7]);
}

static int
is_visible(span found)
{
    for (size_t at = 0; at < found.size; at++)
        if ((unsigned)found.data[at] - ' ' > '~' - ' ')
            return 0;
    return 1;
}

static size_t
word_size(span line, size_t at)
{
    size_t end = at;
    while (end < line.size && line.data[end] != ' ')
        end++;
    return end - at;
}

/* The three words of a first line; 0 where it is odd. */
static int
split_first(span line, int of_response, span words[3])
{
    if (!line.size || !is_visible(line))
        return 0;
    words[0] = part(line, 0, word_size(line, 0));
    words[1] = part(line, words[0].size + 1, word_size(line, words[0].size + 1));
    words[2] = part(line, words[0].size + words[1].size + 2, line.size - words[0].size - words[1].size - 2);
    if (of_response) {
        size_t size = words[1].size;
        if (!is_version(words[0]) || size != 3 || words[1].data[0] == '0' || !is_digit(words[1].data[0]) ||
            !is_digit(words[1].data[1]) || !is_digit(words[1].data[2]))
            return 0;
        return line.size == 12 || (words[2].size && words[2].data[0] != ' ' && words[2].data[words[2].size - 1] != ' ');
    }
    for (size_t at = 0; at < words[0].size; at++)
        if ((words[0].data[at] | 32u) - 'a' >= 26)
            return 0;
    return words[0].size && words[1].size && is_version(words[2]);
}

/* A span without the carriage return at its end. */
static span
without_return(span line)
{
    if (line.size && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* How much is read of a head, of its first line and of its other lines. */
typedef struct {
    Py_ssize_t head, line, headers;
} limits;

/* Read a head whose lines begin at `*at` into three words, headers and index: 1, 0 where it is odd, -1 with an error. */
static int
read_whole_head(span data, size_t *at, const limits *most, int of_response, span words[3], PyObject *headers, PyObject *index)
{
    span line = line_at(data, *at);
    int done = is_ended(data, *at, line) && (Py_ssize_t)line.size < most->line && split_first(without_return(line), of_response, words);
    for (int count = 0; done > 0; count++) {
        *at += line.size + 1;
        line = line_at(data, *at);
        if (!is_ended(data, *at, line))
            return 0;
        if (!without_return(line).size) {
            *at += line.size + 1;
            return PyDict_Size(index) == count;
        }
        done = count < most->headers ? read_line(headers, index, line) : 0;
    }
    return done;
}

PyObject *
texts_head(PyObject *module, PyObject *arguments)
{
    PyObject *headers = PyList_New(0), *index = PyDict_New(), *made = NULL;
    Py_ssize_t size, start;
    limits most;
    char *bytes;
    span data, words[3];
    size_t at;
    int of_response, done = -1;
    (void)module;
    if (headers && index && PyArg_ParseTuple(arguments, "y#n(nnn)p", &bytes, &size, &start, &most.head, &most.line, &most.headers,
                                             &of_response)) {
        data.data = (const uint8_t *)bytes;
        data.size = (size_t)size;
        at = (size_t)start;
        if (holds(data, at, (size_t)most.head))
            data.size = at + (size_t)most.head;
        done = at < data.size ? read_whole_head(data, &at, &most, of_response, words, headers, index) : 0;
    }
    if (done > 0)
        made = Py_BuildValue("(n(NNN)OO)", (Py_ssize_t)at, text(words[0]), text(words[1]), text(words[2]), headers, index);
    else if (!done)
        made = none();
    Py_XDECREF(headers);
    Py_XDECREF(index);
    return made;
}

/* The chunk at `*at`, which is moved behind it; 0 where it is odd or not all there. The last one is empty. */
static int
read_whole_chunk(span data, size_t *at, span *chunk)
{
    size_t size = 0, start = *at;
    unsigned digit;
    while ((digit = hex_value(byte_at(data, *at))) < 16 && *at - start < MOST_DIGITS) {
        size = size * 16 + digit;
        ++*at;
    }
    if (*at == start || byte_at(data, *at) != '\r' || byte_at(data, *at + 1) != '\n')
        return 0;
    *chunk = part(data, *at + 2, size);
    *at += size + 4;
    return chunk->size == size && holds(data, *at, 0) && data.data[*at - 2] == '\r' && data.data[*at - 1] == '\n';
}

PyObject *
texts_chunks(PyObject *module, PyObject *arguments)
{
    PyObject *body;
    Py_ssize_t given, start, limit;
    char *bytes, *to;
    span data, chunk;
    size_t at, size = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#nn", &bytes, &given, &start, &limit))
        return NULL;
    data.data = (const uint8_t *)bytes;
    data.size = (size_t)given;
    at = (size_t)start;
    do {
        if (!read_whole_chunk(data, &at, &chunk) || (size += chunk.size) > (size_t)limit)
            return none();
    } while (chunk.size);
    body = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    to = body ? PyBytes_AsString(body) : NULL;
    if (!to)
        return NULL;
    at = (size_t)start;
    while (read_whole_chunk(data, &at, &chunk) && chunk.size) {
        memcpy(to, chunk.data, chunk.size);
        to += chunk.size;
    }
    return Py_BuildValue("(Nn)", body, (Py_ssize_t)at);
}

static int
is_plain(unsigned byte)
{
    return byte > ' ' && byte <= '~' && byte != ',' && byte != '"' && byte != '\\';
}

/* `name=value` or `name="value"` at `*at`, and what parts it from the next: 1, 0 where it is odd, -1 with an error. */
static int
read_parameter(PyObject *found, span given, size_t *at)
{
    char small[MOST_LETTERS];
    PyObject *key, *said = NULL;
    span name, value;
    size_t start = *at;
    int failed;
    while (is_plain(byte_at(given, *at)) && byte_at(given, *at) != '=')
        ++*at;
    name = part(given, start, *at - start);
    if (!name.size || name.size > MOST_LETTERS || byte_at(given, *at) != '=')
        return 0;
    start = ++*at;
    if (byte_at(given, start) == '"') {
        start = ++*at;
        while (is_plain(byte_at(given, *at)) || byte_at(given, *at) == ' ' || byte_at(given, *at) == ',')
            ++*at;
        value = part(given, start, *at - start);
        if (byte_at(given, (*at)++) != '"')
            return 0;
    } else {
        while (is_plain(byte_at(given, *at)))
            ++*at;
        value = part(given, start, *at - start);
        if (!value.size)
            return 0; /* blanks may follow, and the value then */
    }
    start = *at;
    while (byte_at(given, *at) == ' ' || byte_at(given, *at) == ',')
        ++*at;
    if (*at == start && *at < given.size)
        return 0;
    lower(small, name);
    key = PyUnicode_FromStringAndSize(small, (Py_ssize_t)name.size);
    failed = !key || (PyDict_GetItemWithError(found, key) ? 0 : PyErr_Occurred() ||
             !(said = text(value)) ||
             PyDict_SetItem(found, key, said));
    Py_XDECREF(key);
    Py_XDECREF(said);
    return failed ? -1 : 1;
}

PyObject *
texts_parameters(PyObject *module, PyObject *given)
{
    PyObject *found;
    span bytes;
    size_t at = 0;
    int done = 1;
    (void)module;
    if (!text_bytes(given, &bytes)) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return NULL;
        PyErr_Clear();
        return none();
    }
    found = PyDict_New();
    if (!found)
        return NULL;
    for (int count = 0; done > 0 && at < bytes.size; count++)
        done = count < MOST_PARAMETERS ? read_parameter(found, bytes, &at) : 0;
    if (done > 0)
        return found;
    Py_DECREF(found);
    return done < 0 ? NULL : none();
}
