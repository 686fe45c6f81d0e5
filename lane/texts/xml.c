#include "xml.h"

#include <string.h>

#define XML_URI "http://www.w3.org/XML/1998/namespace"
#define XMLNS_URI "http://www.w3.org/2000/xmlns/"

enum { BLANK = 1, FIRST = 2, NAME = 4 }; /* of a byte: white space; may begin a name; may go on with one */

static int
kind(unsigned byte)
{
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')
        return BLANK;
    if ((byte | 32) - 'a' < 26 || byte == '_')
        return FIRST | NAME;
    return byte - '0' < 10 || byte == '-' || byte == '.' ? NAME : 0;
}

int
equal(span one, span other)
{
    return one.size == other.size && !memcmp(one.data, other.data, one.size);
}

int
same(span one, const char *other)
{
    return one.size == strlen(other) && !memcmp(one.data, other, one.size);
}

int
is_blank(span text)
{
    for (size_t at = 0; at < text.size; at++)
        if (kind(byte_at(text, at)) != BLANK)
            return 0;
    return 1;
}

static unsigned
next(const xml *document)
{
    return byte_at(document->text, document->at);
}

static int
take(xml *document, const char *expected)
{
    span found = part(document->text, document->at, strlen(expected));
    if (!found.size || !same(found, expected))
        return 0;
    document->at += found.size;
    return 1;
}

static size_t
take_blanks(xml *document)
{
    size_t start = document->at;
    while (kind(next(document)) == BLANK)
        document->at++;
    return document->at - start;
}

/* A name without a colon; "" where there is none. */
static span
take_name(xml *document)
{
    size_t start = document->at;
    if (kind(next(document)) & FIRST)
        while (kind(next(document)) & NAME)
            document->at++;
    return part(document->text, start, document->at - start);
}

/* A name with its prefix. */
static int
take_qualified(xml *document, span *prefix, span *local)
{
    *local = take_name(document);
    *prefix = part(document->text, 0, 0);
    if (next(document) == ':') {
        *prefix = *local;
        document->at++;
        *local = take_name(document);
        if (!prefix->size)
            return 0;
    }
    return local->size && local->size <= MOST_NAME;
}

/* ` = "value"`, in which nothing stands for something else. */
static int
take_value(xml *document, span *value)
{
    unsigned quote;
    size_t start;
    take_blanks(document);
    if (!take(document, "="))
        return 0;
    take_blanks(document);
    quote = next(document);
    if (quote != '"' && quote != '\'')
        return 0;
    start = ++document->at;
    while (next(document) != quote) {
        unsigned byte = next(document);
        if (byte < ' ' || byte > '~' || byte == '<' || byte == '&')
            return 0;
        document->at++;
    }
    *value = part(document->text, start, document->at - start);
    document->at++;
    return value->size <= MOST_VALUE;
}

static int
is_utf8(span name)
{
    return name.size == 5 && (name.data[0] | 32) == 'u' && (name.data[1] | 32) == 't' && (name.data[2] | 32) == 'f' &&
           name.data[3] == '-' && name.data[4] == '8';
}

int
xml_begin(xml *document)
{
    span value;
    document->at = document->bound = document->declared = 0;
    if (document->text.size > MOST_BYTES)
        return 0;
    if (take(document, "<?xml")) {
        size_t blanks = take_blanks(document);
        if (!blanks || !take(document, "version") || !take_value(document, &value) || !same(value, "1.0"))
            return 0;
        blanks = take_blanks(document);
        if (blanks && take(document, "encoding")) {
            if (!take_value(document, &value) || !is_utf8(value))
                return 0;
            take_blanks(document);
        }
        if (!take(document, "?>"))
            return 0;
        take_blanks(document);
    }
    return next(document) == '<';
}

static int
resolve(const xml *document, span prefix, span *uri)
{
    for (size_t at = document->bound; at--;)
        if (equal(document->bindings[at].prefix, prefix)) {
            *uri = document->bindings[at].uri;
            return 1;
        }
    if (same(prefix, "xml")) {
        uri->data = (const uint8_t *)XML_URI;
        uri->size = strlen(XML_URI);
        return 1;
    }
    *uri = part(document->text, 0, 0);
    return !prefix.size;
}

static int
bind(xml *document, span prefix, span uri, size_t outside)
{
    if (!uri.size || document->bound == MOST_BINDINGS || ++document->declared > MOST_BINDINGS || same(prefix, "xml") ||
        same(prefix, "xmlns") || same(uri, XML_URI) || same(uri, XMLNS_URI))
        return 0;
    for (size_t at = 0; at < uri.size; at++)
        if (byte_at(uri, at) == ' ' || byte_at(uri, at) == '}')
            return 0;
    for (size_t at = outside; at < document->bound; at++)
        if (equal(document->bindings[at].prefix, prefix))
            return 0;
    document->bindings[document->bound].prefix = prefix;
    document->bindings[document->bound++].uri = uri;
    return 1;
}

int
xml_start(xml *document, tag *found)
{
    span prefix, name, value, prefixes[MOST_ATTRIBUTES];
    size_t start, outside = document->bound;
    if (!take(document, "<"))
        return 0;
    start = document->at;
    if (!take_qualified(document, &prefix, &found->local))
        return 0;
    found->raw = part(document->text, start, document->at - start);
    found->count = 0;
    for (;;) {
        size_t blanks = take_blanks(document);
        span of;
        found->empty = take(document, "/>");
        if (found->empty || take(document, ">"))
            break;
        if (!blanks || !take_qualified(document, &of, &name) || !take_value(document, &value))
            return 0;
        if (same(of, "xmlns")) {
            if (!bind(document, name, value, outside))
                return 0;
        } else if (!of.size && same(name, "xmlns")) {
            if (!bind(document, of, value, outside))
                return 0;
        } else {
            if (found->count == MOST_ATTRIBUTES)
                return 0;
            prefixes[found->count] = of;
            found->attributes[found->count].local = name;
            found->attributes[found->count++].value = value;
        }
    }
    for (size_t at = 0; at < found->count; at++) {
        attribute *one = &found->attributes[at];
        one->uri = part(document->text, 0, 0);
        if (prefixes[at].size && !resolve(document, prefixes[at], &one->uri))
            return 0;
        for (size_t before = 0; before < at; before++)
            if (equal(one->local, found->attributes[before].local) && equal(one->uri, found->attributes[before].uri))
                return 0;
    }
    return resolve(document, prefix, &found->uri);
}

int
xml_end(xml *document, span raw)
{
    span name;
    if (!take(document, "</"))
        return 0;
    name = part(document->text, document->at, raw.size);
    if (!equal(name, raw))
        return 0;
    document->at += raw.size;
    take_blanks(document);
    return take(document, ">");
}

int
xml_text(xml *document, span *found, int *plain)
{
    const uint8_t *data = document->text.data + document->at, *tag = NULL;
    size_t left = document->text.size - document->at, at;
    if (left)
        tag = memchr(data, '<', left);
    if (!tag)
        return 0;
    *plain = 1;
    for (at = 0; data + at < tag; at++) {
        unsigned byte = data[at];
        if (byte - ' ' < '~' - ' ' + 1) {
            if (byte == '&')
                *plain = 0;
            else if (byte == '>')
                return 0; /* "]]>" may not stand there */
            continue;
        }
        if (byte >= 0x80)
            *plain = 0;
        else if (kind(byte) != BLANK)
            return 0;
    }
    *found = part(document->text, document->at, at);
    document->at += at;
    return 1;
}
