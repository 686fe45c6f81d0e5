/* An envelope in one walk: what amtdecode/protocols/soap/elements.py gives for the tree of it. Whatever is unusual (several
   bodies, text beside elements, names in attributes that may speak of secrets, a cap) is left to that: `None`. */

#include "texts.h"
#include "xml.h"

#include <string.h>

#define SOAP11 "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP12 "http://www.w3.org/2003/05/soap-envelope"
#define ADDRESSING "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define WSMAN "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define INSTANCE "http://www.w3.org/2001/XMLSchema-instance"
#define XML "http://www.w3.org/XML/1998/namespace"

enum { MOST_PATH = 480, MOST_ELEMENTS = 15000, KNOWN = 4, MOST_KEPT = 512, LONGEST_KEPT = 44 };

typedef enum { ENVELOPE, HEADER, BODY, IGNORED, KNOWN_HEADER, SELECTOR_SET, OTHER_HEADER, SELECTOR, OPERATION, BELOW } role;

/* Values by path, and which of them are secrets. */
typedef struct {
    PyObject *values, *secrets;
} gathered;

/* An element that is open. */
typedef struct {
    span raw;
    size_t path; /* how much of the path is its own and that of those around it */
    size_t bound;
    role role;
    int known;             /* of a known header: which */
    int secret, inside;    /* its text is one; all texts in it are */
    int numbered;          /* the elements in it are items */
    int children, naming, value; /* whether it has any; of them, what names something, and what may be the value of it */
} element;

typedef struct {
    int secret, secret_inside, naming, value, shown_inside;
} judgement;

typedef struct {
    xml document;
    PyObject *names, *is_secret, *is_secret_inside;
    char path[MOST_PATH + 128];
    element opened[MOST_DEEP];
    int depth;
    span root;
    gathered selectors, headers, arguments;
    PyObject *known[KNOWN], *operation, *operation_namespace;
    int headers_seen, bodies_seen;
    long item; /* of an enumeration; -1: they are not numbered */
} walk;

/* Judgements of names met before, each in the one place that its letters tell: what a name says is always the same. */
static struct {
    uint8_t letters[LONGEST_KEPT];
    size_t size;
    judgement found;
} judged[MOST_KEPT];

static size_t
place_of(span local)
{
    uint32_t sum = 2166136261u; /* FNV-1a */
    for (size_t at = 0; at < local.size; at++)
        sum = (sum ^ local.data[at]) * 16777619u;
    return (sum ^ sum >> 16) % MOST_KEPT;
}

/* What `Names` of elements.py knows of an element by its local name. */
static int
judge(walk *one, span local, judgement *found)
{
    PyObject *name, *known;
    int *parts[] = {&found->secret, &found->secret_inside, &found->naming, &found->value, &found->shown_inside};
    size_t place = place_of(local);
    if (judged[place].size == local.size && !memcmp(judged[place].letters, local.data, local.size)) {
        *found = judged[place].found;
        return DONE;
    }
    name = PyUnicode_FromStringAndSize((const char *)local.data, (Py_ssize_t)local.size);
    if (!name)
        return FAILED;
    known = PyObject_GetItem(one->names, name);
    Py_DECREF(name);
    if (!known)
        return FAILED;
    for (int at = 0; at < 5; at++)
        *parts[at] = PyTuple_GetItem(known, at + 1) == Py_True;
    Py_DECREF(known);
    if (PyErr_Occurred())
        return FAILED;
    if (local.size <= LONGEST_KEPT) {
        memcpy(judged[place].letters, local.data, local.size);
        judged[place].size = local.size;
        judged[place].found = *found;
    }
    return DONE;
}

static int
ask(PyObject *function, const char *path, size_t size)
{
    PyObject *answer = PyObject_CallFunction(function, "s#", path, (Py_ssize_t)size);
    int found = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return found;
}

static int
add(gathered *to, const char *path, size_t size, PyObject *text, int secret)
{
    PyObject *name, *pair;
    int failed;
    if (!text)
        return FAILED;
    if (secret) {
        PyObject *at = PyLong_FromSsize_t(PyList_Size(to->values));
        failed = !at || PyList_Append(to->secrets, at);
        Py_XDECREF(at);
        if (failed) {
            Py_DECREF(text);
            return FAILED;
        }
    }
    name = PyUnicode_FromStringAndSize(path, (Py_ssize_t)size);
    pair = name ? PyTuple_New(2) : NULL;
    if (!pair) {
        Py_XDECREF(name);
        Py_DECREF(text);
        return FAILED;
    }
    PyTuple_SetItem(pair, 0, name);
    PyTuple_SetItem(pair, 1, text);
    failed = PyList_Append(to->values, pair);
    Py_DECREF(pair);
    return failed ? FAILED : DONE;
}

static const struct {
    const char *name;
    char stands_for;
} references[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

/* Text without the blanks around it, references resolved. NULL without an error where that is not done here. */
static PyObject *
text_of(span text, int plain)
{
    size_t first = 0, last = text.size, size = 0;
    PyObject *made;
    char *copy;
    while (first < last && text.data[first] <= ' ')
        first++;
    while (last > first && text.data[last - 1] <= ' ')
        last--;
    text = part(text, first, last - first);
    if (memchr(text.data, '\r', text.size))
        return NULL;
    if (plain)
        return PyUnicode_FromStringAndSize((const char *)text.data, (Py_ssize_t)text.size);
    copy = PyMem_Malloc(text.size + 1);
    if (!copy)
        return PyErr_NoMemory();
    for (size_t at = 0; at < text.size; size++) {
        size_t which = 0, count = sizeof references / sizeof *references;
        copy[size] = (char)text.data[at];
        if (copy[size] == (char)0xEF && byte_at(text, at + 1) == 0xBF && byte_at(text, at + 2) >= 0xBE) {
            PyMem_Free(copy); /* no character */
            return NULL;
        }
        if (copy[size] != '&') {
            at++;
            continue;
        }
        while (which < count) {
            size_t length = strlen(references[which].name);
            if (same(part(text, at, length), references[which].name)) {
                at += length;
                break;
            }
            which++;
        }
        if (which == count) {
            PyMem_Free(copy);
            return NULL;
        }
        copy[size] = references[which].stands_for;
    }
    made = PyUnicode_FromStringAndSize(copy, (Py_ssize_t)size);
    PyMem_Free(copy);
    if (!made && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        PyErr_Clear();
    return made;
}

/* Put a name behind the path of the element around; 0 where it gets too long. */
static int
go_on(walk *one, element *child, size_t above, span local)
{
    child->path = above;
    if (above)
        one->path[child->path++] = '/';
    if (child->path + local.size > MOST_PATH)
        return UNUSUAL;
    memcpy(one->path + child->path, local.data, local.size);
    child->path += local.size;
    return DONE;
}

static int
put(walk *one, element *child, const char *before, span text, const char *behind)
{
    if (child->path + text.size + 2 > MOST_PATH)
        return UNUSUAL;
    for (; *before; before++)
        one->path[child->path++] = *before;
    memcpy(one->path + child->path, text.data, text.size);
    child->path += text.size;
    for (; *behind; behind++)
        one->path[child->path++] = *behind;
    return DONE;
}

/* The first attribute called Name; the others of a selector mean nothing. */
static span
name_in(const tag *found)
{
    for (size_t at = 0; at < found->count; at++)
        if (same(found->attributes[at].local, "Name"))
            return found->attributes[at].value;
    return part(found->raw, 0, 0);
}

static int
tells_how_to_read(span uri)
{
    return same(uri, SOAP11) || same(uri, SOAP12) || same(uri, INSTANCE) || same(uri, XML);
}

/* The attributes that mean something, behind the path of their element. None may name anything. */
static int
add_attributes(walk *one, gathered *to, element *child, const tag *found, int inside)
{
    for (size_t at = 0; at < found->count; at++) {
        const attribute *each = &found->attributes[at];
        size_t path = child->path;
        judgement name;
        int done = judge(one, each->local, &name);
        if (done != DONE || name.naming)
            return done == DONE ? UNUSUAL : done;
        if (tells_how_to_read(each->uri))
            continue;
        if (!to)
            return UNUSUAL;
        done = put(one, child, "/@", each->local, "");
        if (done == DONE)
            done = add(to, one->path, child->path,
                       PyUnicode_FromStringAndSize((const char *)each->value.data, (Py_ssize_t)each->value.size),
                       name.secret || inside);
        child->path = path;
        if (done != DONE)
            return done;
    }
    return DONE;
}

static int
known_header(walk *one, const tag *found)
{
    int which = -1;
    if (same(found->uri, ADDRESSING))
        which = same(found->local, "Action") ? 0 : same(found->local, "MessageID") ? 1 : same(found->local, "RelatesTo") ? 2 : -1;
    else if (same(found->uri, WSMAN) && same(found->local, "ResourceURI"))
        which = 3;
    return which >= 0 && !one->known[which] ? which : -1;
}

static int
is_selector(const element *child, const char *path)
{
    static const char last[] = "Selector";
    size_t size = sizeof last - 1;
    return child->path >= size && !memcmp(path + child->path - size, last, size);
}

/* An element below the operation. */
static int
begin_below(walk *one, element *parent, element *child, const tag *found)
{
    judgement name;
    span called = part(found->raw, 0, 0);
    int done = judge(one, found->local, &name);
    if (done != DONE)
        return done;
    parent->naming |= name.naming;
    parent->value |= name.value;
    if (go_on(one, child, parent->role == OPERATION ? 0 : parent->path, found->local) != DONE)
        return UNUSUAL;
    if (parent->numbered)
        child->path += (size_t)PyOS_snprintf(one->path + child->path, 32, "[%ld]", ++one->item);
    child->secret = name.secret || (parent->inside && !name.shown_inside);
    child->inside = parent->inside || name.secret_inside;
    if (found->count && is_selector(child, one->path))
        called = name_in(found);
    if (called.size) {
        if (put(one, child, "[", called, "]") != DONE)
            return UNUSUAL;
        child->secret = ask(one->is_secret, one->path, child->path);
        child->inside = ask(one->is_secret_inside, one->path, child->path);
        if (child->secret < 0 || child->inside < 0)
            return FAILED;
    } else if ((done = add_attributes(one, &one->arguments, child, found, child->inside)) != DONE)
        return done;
    child->numbered = one->item >= 0 && child->path == 5 && !memcmp(one->path, "Items", 5);
    return DONE;
}

/* An element in a header, or a header without a place of its own. */
static int
begin_header(walk *one, element *parent, element *child, const tag *found)
{
    judgement name;
    int done = judge(one, found->local, &name);
    if (done != DONE)
        return done;
    child->role = OTHER_HEADER;
    parent->naming |= name.naming;
    parent->value |= name.value;
    if (go_on(one, child, parent->path, found->local) != DONE)
        return UNUSUAL;
    child->secret = name.secret || (parent->inside && !name.shown_inside);
    child->inside = parent->inside || name.secret_inside;
    return add_attributes(one, NULL, child, found, 0);
}

static int
begin_selector(walk *one, element *parent, element *child, const tag *found)
{
    span called = name_in(found);
    child->role = SELECTOR;
    if (parent->role == SELECTOR_SET) {
        child->path = 0;
        return put(one, child, "", called, "");
    }
    if (go_on(one, child, parent->path, found->local) != DONE)
        return UNUSUAL;
    return called.size ? put(one, child, "[", called, "]") : DONE;
}

static int
begin_operation(walk *one, element *child, const tag *found)
{
    if (one->operation)
        return UNUSUAL;
    child->role = OPERATION;
    one->operation = PyUnicode_FromStringAndSize((const char *)found->local.data, (Py_ssize_t)found->local.size);
    one->operation_namespace = PyUnicode_FromStringAndSize((const char *)found->uri.data, (Py_ssize_t)found->uri.size);
    if (!one->operation || !one->operation_namespace)
        return FAILED;
    one->item = same(found->local, "PullResponse") || same(found->local, "EnumerateResponse") ? 0 : -1;
    return add_attributes(one, &one->arguments, child, found, 0);
}

/* A direct child of the envelope. */
static int
begin_section(walk *one, element *child, const tag *found)
{
    child->role = IGNORED;
    if (!equal(found->uri, one->root))
        return DONE;
    if (same(found->local, "Header")) {
        child->role = HEADER;
        return one->headers_seen++ ? UNUSUAL : DONE;
    }
    if (same(found->local, "Body")) {
        child->role = BODY;
        return one->bodies_seen++ ? UNUSUAL : DONE;
    }
    return DONE;
}

static int
begin(walk *one, element *parent, element *child, const tag *found)
{
    parent->children = 1;
    switch (parent->role) {
    case ENVELOPE:
        return begin_section(one, child, found);
    case HEADER:
        child->known = known_header(one, found);
        if (child->known >= 0) {
            child->role = KNOWN_HEADER;
            return go_on(one, child, 0, found->local);
        }
        if (same(found->local, "SelectorSet") && !found->empty) {
            child->role = SELECTOR_SET;
            return go_on(one, child, 0, found->local);
        }
        return begin_header(one, parent, child, found);
    case SELECTOR_SET:
        if (same(found->uri, WSMAN) && same(found->local, "Selector"))
            return begin_selector(one, parent, child, found);
        return begin_header(one, parent, child, found);
    case KNOWN_HEADER:
    case OTHER_HEADER:
        return begin_header(one, parent, child, found);
    case SELECTOR:
        return begin_selector(one, parent, child, found);
    case BODY:
        return begin_operation(one, child, found);
    case OPERATION:
    case BELOW:
        child->role = BELOW;
        return begin_below(one, parent, child, found);
    default:
        child->role = IGNORED;
        return DONE;
    }
}

/* What an element without children says. */
static int
leaf(walk *one, element *child, span text, int plain)
{
    PyObject *said;
    gathered *to = &one->headers;
    int secret = child->secret;
    if (child->role == ENVELOPE || child->role == HEADER || child->role == BODY || child->role == IGNORED)
        return plain ? DONE : UNUSUAL;
    said = text_of(text, plain);
    if (!said)
        return PyErr_Occurred() ? FAILED : UNUSUAL;
    switch (child->role) {
    case KNOWN_HEADER:
        one->known[child->known] = said;
        return DONE;
    case OPERATION:
        plain = !PyObject_IsTrue(said);
        Py_DECREF(said);
        return plain ? DONE : UNUSUAL;
    case SELECTOR_SET: { /* its attributes were passed over, as of one that has selectors */
        Py_DECREF(said);
        return UNUSUAL;
    }
    case SELECTOR:
        to = &one->selectors;
        secret = ask(one->is_secret, one->path, child->path);
        if (secret < 0) {
            Py_DECREF(said);
            return FAILED;
        }
        break;
    case BELOW:
        to = &one->arguments;
        break;
    default:
        break;
    }
    return add(to, one->path, child->path, said, secret);
}

static int
finish(walk *one, element *child)
{
    if (child->naming && child->value)
        return UNUSUAL; /* one element names what another holds */
    if (child->children && child->role == KNOWN_HEADER) {
        one->known[child->known] = PyUnicode_FromStringAndSize("", 0);
        return one->known[child->known] ? DONE : FAILED;
    }
    return DONE;
}

static int
walk_document(walk *one)
{
    xml *document = &one->document;
    long elements = 0;
    tag found;
    if (!xml_begin(document) || !xml_start(document, &found) || !same(found.local, "Envelope") || found.empty)
        return UNUSUAL;
    if (!same(found.uri, SOAP11) && !same(found.uri, SOAP12))
        return UNUSUAL;
    one->root = found.uri;
    one->opened[0].raw = found.raw;
    one->opened[0].role = ENVELOPE;
    one->depth = 1;
    while (one->depth) {
        element *parent = &one->opened[one->depth - 1];
        span text;
        int plain, done = DONE, ended;
        if (!xml_text(document, &text, &plain))
            return UNUSUAL;
        ended = byte_at(document->text, document->at + 1) == '/';
        if (ended && !parent->children)
            done = leaf(one, parent, text, plain);
        else if (!is_blank(text))
            return UNUSUAL;
        if (done != DONE)
            return done;
        if (ended) {
            if (!xml_end(document, parent->raw))
                return UNUSUAL;
            document->bound = parent->bound;
            one->depth--;
            done = finish(one, parent);
        } else {
            element *child = &one->opened[one->depth];
            if (one->depth == MOST_DEEP || ++elements > MOST_ELEMENTS)
                return UNUSUAL;
            memset(child, 0, sizeof *child);
            child->bound = document->bound;
            if (!xml_start(document, &found))
                return UNUSUAL;
            child->raw = found.raw;
            done = begin(one, parent, child, &found);
            if (done == DONE && found.empty) {
                done = leaf(one, child, part(found.raw, 0, 0), 1);
                document->bound = child->bound;
            } else
                one->depth++;
        }
        if (done != DONE)
            return done;
    }
    return is_blank(part(document->text, document->at, document->text.size - document->at)) ? DONE : UNUSUAL;
}

static PyObject *
told(walk *one)
{
    PyObject *known[KNOWN], *empty = PyUnicode_FromStringAndSize("", 0), *made;
    if (!empty)
        return NULL;
    for (int at = 0; at < KNOWN; at++)
        known[at] = one->known[at] ? one->known[at] : empty;
    made = Py_BuildValue("(N(OOOO)OOOOOOOO)", PyBool_FromLong(same(one->root, SOAP12)), known[0], known[1], known[2], known[3],
                         one->operation ? one->operation : empty, one->operation_namespace ? one->operation_namespace : empty,
                         one->selectors.values, one->selectors.secrets, one->headers.values, one->headers.secrets,
                         one->arguments.values, one->arguments.secrets);
    Py_DECREF(empty);
    return made;
}

static int
gather(gathered *one)
{
    one->values = PyList_New(0);
    one->secrets = PyList_New(0);
    return one->values && one->secrets ? 0 : -1;
}

PyObject *
texts_envelope(PyObject *module, PyObject *arguments)
{
    walk *one = PyMem_Calloc(1, sizeof *one);
    PyObject *data, *made = NULL;
    char *bytes;
    Py_ssize_t size;
    int done = FAILED;
    (void)module;
    if (!one)
        return PyErr_NoMemory();
    if (PyArg_ParseTuple(arguments, "SO!OO", &data, &PyDict_Type, &one->names, &one->is_secret, &one->is_secret_inside) &&
        !PyBytes_AsStringAndSize(data, &bytes, &size) && !gather(&one->selectors) && !gather(&one->headers) &&
        !gather(&one->arguments)) {
        one->document.text.data = (const uint8_t *)bytes;
        one->document.text.size = (size_t)size;
        one->item = -1;
        done = walk_document(one);
    }
    if (done == DONE)
        made = told(one);
    else if (done == UNUSUAL) {
        Py_INCREF(Py_None);
        made = Py_None;
    }
    for (int at = 0; at < KNOWN; at++)
        Py_XDECREF(one->known[at]);
    Py_XDECREF(one->operation);
    Py_XDECREF(one->operation_namespace);
    Py_XDECREF(one->selectors.values);
    Py_XDECREF(one->selectors.secrets);
    Py_XDECREF(one->headers.values);
    Py_XDECREF(one->headers.secrets);
    Py_XDECREF(one->arguments.values);
    Py_XDECREF(one->arguments.secrets);
    PyMem_Free(one);
    return made;
}
