package st0601

import "github.com/tstrans/tstrans/core/klv"

// Table collects records as columns.
type Table struct{ t klv.Table }

// NewTable makes an empty table.
func NewTable() *Table { return &Table{klv.Table{Set: Set}} }

// Columns gives the columns.
func (t *Table) Columns() *klv.Table { return &t.t }

// Add decodes a record to a row.
func (t *Table) Add(record []byte, mode Mode) error {
	body, err := walk(t.t.Decoder(), record, mode)
	if err != nil {
		return err
	}
	t.t.Add(record[:klv.ULSize], body)
	return nil
}
