package policy

import (
	"fmt"
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
	old, err := Parse(src)
	if err != nil {
		return nil, err
	}
	members = slices.Compact(slices.Sorted(slices.Values(members)))
	meant := old.clone()
	meant.groups[name] = &Group{Name: name, Members: members, Recipient: recipient}
	e := &editor{src: src}
	if _, ok := old.groups[name]; ok {
		for _, m := range members {
			e.join(m, membersOf(name))
		}
		for _, m := range old.groups[name].Members {
			if !slices.Contains(members, m) {
				e.leave(m, membersOf(name))
			}
		}
		e.identity(name, recipient.String())
	} else {
		e.group(name, members, recipient.String())
	}
	text, _, err := e.as(meant)
	return text, err
}

// identity gives a group this recipient.
func (e *editor) identity(name, recipient string) {
	e.step(func(d *document) ([]byte, error) {
		n := d.at("groups", name, "recipient")
		if n == nil {
			group := d.at("groups", name)
			return d.add(group, named(group.Content[0], "recipient")+": "+keyed(group.Content[1], recipient))
		}
		end, ok := d.end(n)
		if !ok {
			return nil, errByHand
		}
		return d.with(splice{span{d.start(n), end}, keyed(n, recipient)}), nil
	})
}

// group adds one, behind the others, or behind recipients if it is the first.
func (e *editor) group(name string, members []string, recipient string) {
	e.step(func(d *document) ([]byte, error) {
		groups := d.at("groups")
		switch flow := d.root.Style&yaml.FlowStyle != 0; {
		case groups != nil && len(groups.Content) > 0:
			return d.add(groups, d.newGroup(groups, name, members, recipient))
		case groups != nil:
			return nil, errByHand
		case flow:
			quote := d.root.Content[0]
			return d.add(d.root, named(quote, "groups")+": {"+flowGroup(quote, name, members, recipient)+"}")
		}
		people := d.at("recipients")
		end, ok := d.end(people)
		if !ok {
			return nil, errByHand
		}
		end = d.lineEnd(end)
		lines := append([]string{"groups:"}, blockGroup("  ", name, members, recipient)...)
		return d.with(splice{span{end, end}, d.lineBreak() + strings.Join(lines, d.lineBreak())}), nil
	})
}

// newGroup is a group in the style of the mapping of groups that it is for. The first line has no indent.
func (d *document) newGroup(groups *yaml.Node, name string, members []string, recipient string) string {
	first := groups.Content[0]
	if groups.Style&yaml.FlowStyle != 0 {
		return flowGroup(first, name, members, recipient)
	}
	indent := d.before(d.start(first))
	return strings.TrimPrefix(strings.Join(blockGroup(indent, name, members, recipient), d.lineBreak()), indent)
}

func blockGroup(indent, name string, members []string, recipient string) []string {
	plain := make([]string, len(members))
	for i, m := range members {
		plain[i] = scalar(m)
	}
	return []string{indent + scalar(name) + ":", indent + "  members: [" + strings.Join(plain, ", ") + "]", indent + "  recipient: " + recipient}
}

// flowGroup is in the style of a neighbour.
func flowGroup(neighbour *yaml.Node, name string, members []string, recipient string) string {
	quoted := make([]string, len(members))
	for i, m := range members {
		quoted[i] = named(neighbour, m)
	}
	return fmt.Sprintf("%s: {%s: [%s], %s: %s}", named(neighbour, name), named(neighbour, "members"), strings.Join(quoted, ", "),
		named(neighbour, "recipient"), keyed(neighbour, recipient))
}
