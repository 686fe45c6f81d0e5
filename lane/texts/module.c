/* The module of texts. */

#include "texts.h"

static PyMethodDef functions[] = {
    {"envelope", texts_envelope, METH_VARARGS,
     PyDoc_STR("envelope(data, names, is_secret, is_secret_inside)\n\n"
               "What an envelope holds; None where it is not the usual one.")},
    {"headers", texts_headers, METH_O,
     PyDoc_STR("headers(data)\n\n"
               "Headers, and their values by lower-case name; None where a line is odd.")},
    {"parameters", texts_parameters, METH_O,
     PyDoc_STR("parameters(text)\n\n"
               "Parameters of credentials by lower-case name; None where one is odd.")},
    {"fields_json", texts_fields_json, METH_VARARGS,
     PyDoc_STR("fields_json(fields, marks, masked)\n\n"
               "Fields as JSON, secrets masked; None where a value is of a kind not written here.")},
    {"numbers", texts_numbers, METH_VARARGS,
     PyDoc_STR("numbers(values, names)\n\n"
               "Positions of the values that are numbers and have one of these names.")},
    {"set_stems", texts_set_stems, METH_O,
     PyDoc_STR("set_stems(stems)\n\n"
               "What every text has in it that may speak of a secret.")},
    {"has_stem", texts_has_stem, METH_O,
     PyDoc_STR("has_stem(text)\n\n"
               "Whether a text has a stem in it, @, %, or what is no ASCII.")},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "amtdecode._texts",
    .m_doc = "Reading and writing of texts, compiled; see compiled.py.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__texts(void)
{
    return PyModule_Create(&definition);
}
