/* Python's stable interface, so that one build serves 3.11 and all later versions. */

#ifndef LANE_PYTHON_H
#define LANE_PYTHON_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#endif
