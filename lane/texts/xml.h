/* The XML that nearly every console and machine writes: tags, attributes and text, in UTF-8, without comments, sections,
   references to characters and what else there is. Whatever is more, or not well-formed, is left to expat. */

#ifndef LANE_TEXTS_XML_H
#define LANE_TEXTS_XML_H

#include "../cursor.h"

enum {
    MOST_DEEP = 30,       /* elements in each other; as all caps here below those of document.py, which state what they are */
    MOST_BINDINGS = 60,   /* namespace declarations of a document */
    MOST_ATTRIBUTES = 12, /* of an element */
    MOST_NAME = 250,      /* bytes of a name */
    MOST_VALUE = 400,     /* bytes of an attribute's value */
    MOST_BYTES = 1 << 16, /* of a document */
};

typedef struct {
    span prefix, uri;
} binding;

typedef struct {
    span uri, local, value; /* the namespace's name, "" for none */
} attribute;

/* A start tag. */
typedef struct {
    span raw, uri, local;
    attribute attributes[MOST_ATTRIBUTES];
    size_t count;
    int empty; /* it ends itself */
} tag;

typedef struct {
    span text;
    size_t at;
    binding bindings[MOST_BINDINGS];
    size_t bound, declared;
} xml;

/* Each gives 0 where the document holds anything unusual there. */
int xml_begin(xml *document);                        /* pass over the declaration, stand before the root */
int xml_start(xml *document, tag *found);            /* read a start tag and bind what it declares */
int xml_end(xml *document, span raw);                /* read the end tag of this name */
int xml_text(xml *document, span *found, int *plain); /* text up to the next tag; plain: ASCII without references */
int is_blank(span text);
int same(span one, const char *other);
int equal(span one, span other);

#endif
