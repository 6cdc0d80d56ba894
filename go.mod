module github.com/tstrans/tstrans

go 1.26
