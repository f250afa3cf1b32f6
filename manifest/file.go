package manifest

import (
	"bytes"
	"strings"
)

// Limits, checked before anything is parsed where that is possible.
const (
	MaxFileSize  = 8 << 20   // bytes of a file
	MaxWraps     = 64        // data keys of a document
	MaxValues    = 1024      // values of a document
	MaxTo        = 128       // recipients of a data key
	MaxAgeLength = 384 << 10 // characters of an age file in base64
	MaxTotal     = 1 << 20   // bytes of plaintext of a document; checked where there is plaintext
	MaxDepth     = 16        // collections inside one another, the object itself counted

	maxListDepth = 8       // Lists inside one another
	maxNodes     = 1 << 19 // lines, keys, values and list entries of a document
	maxItems     = 1 << 14 // Secrets of a file
	maxParsed    = 1 << 15 // documents of a file that only the YAML library can read
)

// File is one manifest: a stream of documents, as text.
type File struct {
	src   []byte
	docs  []*document // those that hold an item, in order
	items []*Item
}

// document is one document of a stream. Its source is what the readers see; src[start:end] is what it was.
type document struct {
	source
	raw        []byte // src[start:end]
	start, end int
	json       bool // one JSON object, and nothing else
	slow       bool // read by the YAML library
	normalized bool // had CRLF, a BOM or no final newline
	last       bool // nothing stands behind it
	odd        bool // has line breaks that not every YAML reader takes for one
	items      []*Item
}

// Parse splits a manifest into documents and finds the Secrets in it, of all kinds. It keeps src; the caller must not change it.
// The only error is ErrLimit, for a file over MaxFileSize: what can't be parsed and speaks of a Secret is an item of Kind Broken, what
// doesn't speak of one is nobody's business.
func Parse(src []byte) (*File, error) {
	if len(src) > MaxFileSize {
		return nil, &Error{Err: &fault{"the file is larger than 8 MiB", ErrLimit}, Hint: "split it into several files"}
	}
	f := &File{src: src}
	if looksUTF16(src) {
		f.items = utf16Items(src)
		return f, nil
	}
	parsed := 0
	for s := (splitter{src: src}); s.next(); {
		text := src[s.start:s.end]
		if !mayHoldSecret(text) {
			continue
		}
		d := &document{source: source{line0: s.line}, raw: text, start: s.start, end: s.end, last: s.end == len(src)}
		d.text = normalize(text)
		d.normalized = d.text != string(text)
		if d.classify(); len(d.items) > 0 {
			f.docs = append(f.docs, d)
			f.items = append(f.items, d.items...)
		}
		if d.slow {
			parsed++
		}
		if len(f.items) > maxItems || parsed > maxParsed {
			e := &Error{Line: s.line + 1, Err: &fault{"the file has too many documents", ErrLimit}, Hint: "split it into several files"}
			f.items = append(f.items, &Item{Kind: Broken, Line: e.Line, Err: e})
			break
		}
	}
	return f, nil
}

// Items returns the Secrets of all kinds in the order of the file, those inside Lists too.
func (f *File) Items() []*Item { return f.items }

// Outside is the text that belongs to no native Secret, in pieces: each document without one, and what stands around those of a List. Markers
// and white space around a piece are left out. Native must have read every Native item without an error.
func (f *File) Outside() []string {
	var list []string
	add := func(text string) {
		text = strings.TrimSpace(text)
		if rest, ok := strings.CutPrefix(text, "---"); ok && (rest == "" || strings.IndexByte(" \t\r\n", rest[0]) >= 0) {
			text = strings.TrimSpace(rest)
		}
		if text = strings.TrimSpace(strings.TrimSuffix(text, "\n...")); text != "" {
			list = append(list, text)
		}
	}
	docs := f.docs
	for s := (splitter{src: f.src}); s.next(); {
		if len(docs) == 0 || docs[0].start != s.start {
			add(string(f.src[s.start:s.end]))
			continue
		}
		d := docs[0]
		docs = docs[1:]
		var b strings.Builder
		at := 0
		for _, i := range d.items {
			if i.Kind != Native {
				continue
			}
			i.mustRead()
			from, to := i.region()
			b.WriteString(d.text[at:max(at, from)])
			at = max(at, to)
		}
		b.WriteString(d.text[at:])
		add(b.String())
	}
	return list
}

// Changed says whether Bytes differs from what was parsed.
func (f *File) Changed() bool {
	for _, i := range f.items {
		if i.edited {
			return true
		}
	}
	return false
}

// Bytes returns the text with the edits made so far. Documents without an edit are as they were, byte for byte; the others have LF and
// no BOM.
func (f *File) Bytes() []byte {
	if !f.Changed() {
		return f.src
	}
	var b bytes.Buffer
	b.Grow(len(f.src) + len(f.src)/2)
	at := 0
	for _, d := range f.docs {
		b.Write(f.src[at:d.start])
		d.write(&b, f.src)
		at = d.end
	}
	b.Write(f.src[at:])
	return b.Bytes()
}

// Freeze makes the edits final: the text as it is now is all that is left. What was parsed is several times as large, and a run over many
// files that is done with one need not keep it.
func (f *File) Freeze() { *f = File{src: bytes.Clone(f.Bytes())} }

// Reset forgets all edits.
func (f *File) Reset() {
	for _, i := range f.items {
		i.edits, i.edited = nil, false
	}
}

// Line is the line of what was parsed that stands at an offset of Bytes; of what an edit put there, the line that the edit begins on.
func (f *File) Line(off int) int {
	at, out := 0, 0 // in src, in Bytes
	for _, d := range f.docs {
		if out+d.start-at > off {
			break
		}
		out, at = out+d.start-at, d.end
		if !d.edited() {
			if out += d.end - d.start; out > off {
				return 1 + bytes.Count(f.src[:d.end-(out-off)], []byte("\n"))
			}
			continue
		}
		from := 0 // in the document's text
		line := func() int { return d.line0 + 1 + strings.Count(d.text[:from], "\n") }
		for _, i := range d.items {
			for _, e := range i.edits {
				if out+e.from-from > off {
					from += off - out
					return line()
				}
				out += e.from - from
				if from = e.from; out+len(e.text) > off {
					return line()
				}
				out, from = out+len(e.text), e.to
			}
		}
		if out+len(d.text)-from > off {
			from += off - out
			return line()
		}
		out += len(d.text) - from
	}
	return 1 + bytes.Count(f.src[:min(len(f.src), at+off-out)], []byte("\n"))
}

func (d *document) edited() bool {
	for _, i := range d.items {
		if i.edited {
			return true
		}
	}
	return false
}

func (d *document) write(b *bytes.Buffer, src []byte) {
	if !d.edited() {
		b.Write(src[d.start:d.end])
		return
	}
	at := 0
	for _, i := range d.items {
		for _, e := range i.edits {
			if e.from < at {
				panic("manifest: edits overlap") // not reached: better than to write text that nobody meant
			}
			b.WriteString(d.text[at:e.from])
			b.WriteString(e.text)
			at = e.to
		}
	}
	b.WriteString(d.text[at:])
}

// edit replaces text[from:to].
type edit struct {
	from, to int
	text     string
}

const bom = "\uFEFF"

// normalize gives a document the form that the readers know.
func normalize(text []byte) string {
	s := strings.TrimPrefix(string(text), bom)
	if strings.Contains(s, "\r\n") {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// splitter cuts a stream at its document markers. That needs no YAML: "---" or "..." at the beginning of a line, alone or before a
// blank, is a marker even inside a quoted or block scalar (YAML 1.2 §9.1.2, c-forbidden).
type splitter struct {
	src        []byte
	start, end int // of the document found
	line       int // lines before start

	pos, lines int
}

func (s *splitter) next() bool {
	if s.pos >= len(s.src) {
		return false
	}
	s.start, s.line = s.pos, s.lines
	marker, content := false, false // seen in this document
	for s.pos < len(s.src) {
		eol := len(s.src)
		if i := bytes.IndexByte(s.src[s.pos:], '\n'); i >= 0 {
			eol = s.pos + i + 1
		}
		line := s.src[s.pos:eol]
		if s.pos == 0 {
			line = bytes.TrimPrefix(line, []byte(bom))
		}
		switch rest := bytes.TrimLeft(line, " \t\r\n"); {
		case isMarker(line, "---"):
			if marker || content {
				s.end = s.pos
				return true
			}
			marker = true
		case isMarker(line, "..."):
			s.pos, s.lines = eol, s.lines+1
			s.end = eol
			return true
		case len(rest) == 0, rest[0] == '#', line[0] == '%' && !marker && !content:
		default:
			content = true
		}
		s.pos, s.lines = eol, s.lines+1
	}
	s.end = s.pos
	return true
}

func isMarker(line []byte, marker string) bool {
	return len(line) >= 3 && string(line[:3]) == marker && (len(line) == 3 || strings.IndexByte(" \t\r\n", line[3]) >= 0)
}
