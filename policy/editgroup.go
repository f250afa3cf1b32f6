package policy

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/crypt"
)

// EditGroup gives the text of a policy in which a group has these members and this identity of its own; it is added if it is not
// there. All else of the text stays as it is, comments among it. The result was parsed again, and means this and nothing more.
//
// Errors: those of Parse, of the text as it is and as it would be, and *Error where the text can't be changed like that.
func EditGroup(src []byte, name string, members []string, recipient *crypt.Recipient) ([]byte, error) {
	p, err := Parse(src)
	if err != nil {
		return nil, err
	}
	members = slices.Compact(slices.Sorted(slices.Values(members)))
	want := *p
	want.groups = maps.Clone(p.groups)
	want.groups[name] = &Group{Name: name, Members: members, Recipient: recipient}
	e := newTextEdit(src)
	if !e.group(name, members, recipient.String()) {
		return nil, cannotEdit(name, members)
	}
	text := e.text()
	now, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(now.Canonical(), want.Canonical()) {
		return nil, cannotEdit(name, members)
	}
	return text, nil
}

func cannotEdit(name string, members []string) error {
	return &Error{Err: fmt.Errorf("group %s: the text around it is such that it can't be changed without changing more", name),
		Hint: fmt.Sprintf("write the group's members as a list of their own: members: [%s]; then run this again", strings.Join(members, ", "))}
}

// group makes the changes that a group needs; false where it can't tell the place. That they mean what they should is for the
// caller to see: only what is parsed again counts.
func (e *textEdit) group(name string, members []string, recipient string) bool {
	root := e.root
	groups := valueOf(root, "groups")
	if groups == nil {
		rules := keyOf(root, "rules")
		if root.Style&yaml.FlowStyle != 0 || rules == nil {
			return false
		}
		return e.insertLines(e.above(rules.Line), strings.Repeat(" ", rules.Column-1), append([]string{"groups:"}, newGroup(name, members, recipient)...)...)
	}
	g := valueOf(groups, name)
	switch {
	case groups.Kind != yaml.MappingNode:
		return false
	case g == nil && groups.Style&yaml.FlowStyle != 0:
		return e.insertFlow(groups, fmt.Sprintf("%s: {members: [%s], recipient: %s}", scalar(name), strings.Join(scalars(members), ", "), recipient))
	case g == nil:
		first := groups.Content[0]
		lines := newGroup(name, members, recipient)
		for i := range lines {
			lines[i] = strings.TrimPrefix(lines[i], "  ")
		}
		return e.insertLines(keyOf(root, "groups").Line+1, strings.Repeat(" ", first.Column-1), lines...)
	}
	if r := valueOf(g, "recipient"); r == nil {
		if !e.addField(g, "recipient: "+recipient) {
			return false
		}
	} else if r.Value != recipient && !e.replace(r, recipient) {
		return false
	}
	return e.list(valueOf(g, "members"), members)
}

func newGroup(name string, members []string, recipient string) []string {
	return []string{"  " + scalar(name) + ":", "    members: [" + strings.Join(scalars(members), ", ") + "]", "    recipient: " + recipient}
}

func scalars(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = scalar(n)
	}
	return out
}

// addField puts a field in front of the others of a mapping.
func (e *textEdit) addField(m *yaml.Node, field string) bool {
	if m.Style&yaml.FlowStyle != 0 {
		return e.insertFlow(m, field)
	}
	first := m.Content[0]
	return e.insertLines(first.Line, strings.Repeat(" ", first.Column-1), field)
}

// list adds what a list of names lacks, and takes out what it has too many.
func (e *textEdit) list(list *yaml.Node, names []string) bool {
	var kept []*yaml.Node
	var had []string
	for _, n := range list.Content {
		had = append(had, n.Value)
		if slices.Contains(names, n.Value) {
			kept = append(kept, n)
		}
	}
	if len(kept) == 0 {
		return false // all are others: the list as a whole is to be written
	}
	flow := list.Style&yaml.FlowStyle != 0
	for i, n := range list.Content {
		if slices.Contains(names, n.Value) {
			continue
		}
		switch {
		case !flow:
			if !e.removeLine(n) {
				return false
			}
		case slices.Contains(list.Content[:i], kept[0]): // with the comma before it
			if !e.cut(e.end(list.Content[i-1]), e.end(n)) {
				return false
			}
		default:
			if !e.cut(e.start(n), e.start(list.Content[i+1])) {
				return false
			}
		}
	}
	last := kept[len(kept)-1]
	for _, name := range names {
		switch {
		case slices.Contains(had, name):
		case flow:
			e.insert(e.end(last), ", "+scalar(name))
		default:
			if !e.insertLines(last.Line+1, strings.Repeat(" ", list.Column-1), "- "+scalar(name)) {
				return false
			}
		}
	}
	return true
}
