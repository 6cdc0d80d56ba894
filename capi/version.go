package main

/*
#include "detail.h"
*/
import "C"

import (
	"sync"

	"github.com/tstrans/tstrans/core/tsterr"
)

// release is the version of the package, kept equal to pyproject.toml by a test.
const release = "0.2.0"

var constantTexts = struct {
	once    sync.Once
	version *C.tst_cchar
	kinds   map[tsterr.Kind]*C.tst_cchar
}{}

// loadTexts makes the texts that are borrowed for the life of the process.
func loadTexts() {
	constantTexts.once.Do(func() {
		keep := func(s string) *C.tst_cchar { return C.tsti_keep(strPtr(s), C.size_t(len(s))) }
		constantTexts.version = keep(release)
		constantTexts.kinds = map[tsterr.Kind]*C.tst_cchar{}
		tsterr.Each(func(k tsterr.Kind, s string) { constantTexts.kinds[k] = keep(s) })
	})
}

//export tst_version
func tst_version() *C.tst_cchar {
	loadTexts()
	return constantTexts.version
}

//export tst_status_name
func tst_status_name(s C.tst_status) *C.tst_cchar {
	loadTexts()
	return constantTexts.kinds[tsterr.Kind(s)]
}
