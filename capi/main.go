// Command capi is the C ABI: exports only. Each export unpacks its arguments,
// calls core and maps the error; the contract is include/tstrans.h, which the
// preamble of every file here includes, so that an export whose signature
// differs from the header does not compile.
package main

// main is never run: the package is built with -buildmode=c-shared.
func main() {}
