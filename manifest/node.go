package manifest

type kind uint8

const (
	scalar kind = iota + 1
	mapping
	sequence
	alias
)

type style uint8

const (
	plain   style = iota // scalars
	single               // '…'
	double               // "…"
	literal              // |
	folded               // >
	block                // mappings and sequences
	flow                 // {…} and […]
)

// node is one value of a document, with its place in the text. Three readers make nodes (parseFast, parseYAML, parseJSON) and must agree
// on every field; everything else in this package knows only nodes and text.
type node struct {
	kind   kind
	style  style
	str    bool // a scalar that is a string whoever reads it: quoted, block, or plain and a string in YAML 1.1 and 1.2
	marked bool // carries an anchor or a tag
	binary bool // the tag is !!binary

	// For writing only.
	raw     bool // comment lines are written as they stand
	oneLine bool // a list that JSON has on one line, too
	lines   bool // a string that is written as a block literal, where block style can stand

	line   int // 1-based in the file
	off    int // byte offset of the first byte in source.text; of an absent value: where it would begin
	end    int // byte offset behind the last byte; of a block collection: that of its last value. 0 until measured
	value  string
	kids   []*node // elements; of a mapping keys and values by turns
	target *node   // of an alias

	notes *notes // for writing only, see comments
}

// notes are comments that are written with a node. Few nodes have any, and a run over many files holds many nodes.
type notes struct {
	head []string // of a key: lines above it, without indentation unless raw
	eol  string   // of a key: at the end of its line, with the blanks before it
	foot []string // of a mapping: lines behind its last entry
}

// comments are those of a node; commented is where to add some.
func (n *node) comments() notes {
	if n.notes == nil {
		return notes{}
	}
	return *n.notes
}

func (n *node) commented() *notes {
	if n.notes == nil {
		n.notes = &notes{}
	}
	return n.notes
}

// source is the text of one document as the readers see it: LF, no BOM, a final newline.
type source struct {
	text  string
	line0 int // lines of the file before it
}

func newString(s string) *node          { return &node{kind: scalar, str: true, value: s} }
func newMapping() *node                 { return &node{kind: mapping} }
func (n *node) add(key string, v *node) { n.kids = append(n.kids, newString(key), v) }
func (n *node) is(k kind) bool          { return n != nil && n.kind == k }
func (n *node) isNull() bool {
	if n.kind != scalar || n.style != plain || n.marked {
		return false
	}
	switch n.value {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

// key returns the node of a key, or nil.
func (n *node) key(name string) *node {
	if !n.is(mapping) {
		return nil
	}
	for i := 0; i+1 < len(n.kids); i += 2 {
		if n.kids[i].value == name {
			return n.kids[i]
		}
	}
	return nil
}

// get returns the last value of a key, as lenient readers do, or nil.
func (n *node) get(key string) *node {
	if !n.is(mapping) {
		return nil
	}
	for i := len(n.kids) - 2; i >= 0; i -= 2 {
		if k := n.kids[i]; k.kind == scalar && k.value == key {
			return n.kids[i+1]
		}
	}
	return nil
}
