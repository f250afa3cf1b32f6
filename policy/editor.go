package policy

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/crypt"
)

// editor changes a text step by step; after an error it does nothing more.
type editor struct {
	src []byte
	err error
}

func (e *editor) step(change func(*document) ([]byte, error)) {
	if e.err != nil {
		return
	}
	text, marked := bytes.CutPrefix(e.src, []byte("\ufeff"))
	d, err := newDocument(text)
	if err == nil {
		text, err = change(d)
	}
	if err != nil {
		e.err = err
		return
	}
	if e.src = text; marked {
		e.src = append([]byte("\ufeff"), text...)
	}
}

// as gives the text if it means what is meant, which has to be a valid policy.
func (e *editor) as(meant *Policy) ([]byte, *Policy, error) {
	want, err := parse(meant.Canonical(), true)
	if err != nil {
		return nil, nil, unplaced(err)
	}
	err = e.err
	if err == nil {
		var got *Policy
		if got, err = Parse(e.src); err == nil && bytes.Equal(got.Canonical(), want.Canonical()) {
			return e.src, got, nil
		}
		err = errByHand
	}
	return nil, nil, &Error{Err: fmt.Errorf("nothing was changed: the policy is %w", err), Hint: "make the change in the file itself, then: ageseal trust"}
}

// unplaced drops the lines of faults in a text that nobody sees.
func unplaced(err error) error {
	var all []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, unplaced(e))
		}
		return errors.Join(all...)
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Err: e.Err, Hint: e.Hint}
	}
	return err
}

// index is the place of a name, or a recipient, in a list or a mapping; -1 if it is not there.
func (d *document) index(n *yaml.Node, text string) int {
	width := 1
	if n.Kind == yaml.MappingNode {
		width = 2
	}
	for i := 0; i < len(n.Content); i += width {
		if same(n.Content[i], text) {
			return i / width
		}
	}
	return -1
}

// same compares names as they are, and recipients, which may have a comment or other letters, by what they mean.
func same(n *yaml.Node, text string) bool {
	if looksLikeRecipient(text) {
		r, err := crypt.ParseRecipient(n.Value)
		return err == nil && r.String() == text
	}
	return n.Value == text
}

// membersOf and namesIn are the lists of a group and of a rule.
func membersOf(group string) func(*document) *yaml.Node {
	return func(d *document) *yaml.Node { return d.at("groups", group, "members") }
}

func namesIn(pattern string) func(*document) *yaml.Node {
	return func(d *document) *yaml.Node { return d.ruleAt(pattern) }
}

// join puts a name into a list that lacks it, leave takes it out as often as it is there.
func (e *editor) join(name string, list func(*document) *yaml.Node) {
	e.step(func(d *document) ([]byte, error) {
		n := list(d)
		if d.index(n, name) >= 0 {
			return d.src, nil
		}
		return d.add(n, named(n.Content[0], name))
	})
}

func (e *editor) leave(name string, list func(*document) *yaml.Node) {
	for again := true; again && e.err == nil; {
		e.step(func(d *document) ([]byte, error) {
			n := list(d)
			i := d.index(n, name)
			if again = i >= 0; !again {
				return d.src, nil
			}
			return d.remove(n, i)
		})
	}
}

// give adds a recipient to a person, who may be new.
func (e *editor) give(name string, r *crypt.Recipient) {
	e.step(func(d *document) ([]byte, error) {
		people := d.at("recipients")
		n := d.at("recipients", name)
		switch {
		case n == nil:
			return d.add(people, named(people.Content[0], name)+": "+keyed(people.Content[1], r.String()))
		case n.Kind == yaml.SequenceNode && d.index(n, r.String()) >= 0, same(n, r.String()):
			return d.src, nil
		case n.Kind == yaml.SequenceNode:
			return d.add(n, keyed(n, r.String()))
		}
		end, ok := d.end(n)
		if !ok {
			return nil, errByHand
		}
		start := d.start(n)
		return d.with(splice{span{start, start}, "["}, splice{span{end, end}, ", " + keyed(n, r.String()) + "]"}), nil
	})
}

// take takes a recipient from a person who has others.
func (e *editor) take(name string, r *crypt.Recipient) {
	e.leave(r.String(), func(d *document) *yaml.Node { return d.at("recipients", name) })
}

// drop takes a person out of recipients.
func (e *editor) drop(name string) {
	e.step(func(d *document) ([]byte, error) {
		return d.remove(d.at("recipients"), d.index(d.at("recipients"), name))
	})
}
