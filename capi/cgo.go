package main

/*
#cgo CFLAGS: -I${SRCDIR}/../include -std=c11 -Wall -Wextra -Wno-unused-parameter
#include "detail.h"
*/
import "C"
