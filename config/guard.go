package config

import (
	"bytes"
	"regexp"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// What one source may hold. The parser keeps with each node its path from the root, so that depth, the length of keys and the
// number of nodes multiply: without limits a file of 100 KB takes gigabytes. It takes the square of the number of keys in a map,
// and of the length of a block of text, in time: without limits a file of 100 KB takes minutes.
const (
	maxBytes   = 1 << 20
	maxBlock   = 1 << 10 // bytes of one block of text after | or >
	maxTokens  = 100_000
	maxKeys    = 30_000
	maxDepth   = 16
	maxKey     = 256 // characters
	maxAliases = 64
)

var (
	blockHeader = regexp.MustCompile(`[|>][-+0-9]*[ \t]*$`)
	comment     = regexp.MustCompile(`(^|[ \t])#.*$`)
)

// checkBlocks refuses long blocks of text before the parser sees them. It takes whatever could begin one for one, and every deeper or
// empty line after it as a part of it.
func checkBlocks(data []byte) *syntaxError {
	inside, outer, size, start, number := false, 0, 0, 0, 0
	for line := range bytes.Lines(data) {
		number++
		text := bytes.TrimSpace(line)
		indent := len(line) - len(bytes.TrimLeft(line, " "))
		if inside = inside && (len(text) == 0 || indent > outer); inside {
			if size += len(line); size > maxBlock {
				return &syntaxError{&token.Position{Line: start, Column: 1}, "this block of text is too long"}
			}
			continue
		}
		if blockHeader.Match(comment.ReplaceAll(text, nil)) {
			inside, outer, size, start = true, indent, 0, number
		}
		if isRootBlock(line) {
			outer = -1
		}
	}
	return nil
}

// isRootBlock says whether the text of a block that begins here needs no indentation.
func isRootBlock(line []byte) bool {
	return bytes.HasPrefix(line, []byte("---")) || bytes.IndexAny(line, "|>&!") == 0
}

// checkTokens refuses what the parser or the decoder should never meet.
func checkTokens(tokens token.Tokens) *syntaxError {
	if len(tokens) > maxTokens {
		return &syntaxError{message: "is too large: more than 100000 words and signs"}
	}
	var depth nesting
	aliases, keys := 0, 0
	for i, t := range tokens {
		if depth.of(tokens, i) > maxDepth {
			return &syntaxError{t.Position, "is nested too deeply"}
		}
		switch t.Type {
		case token.SequenceEntryType:
			if depth.brackets > 0 {
				return &syntaxError{t.Position, "a dash between brackets"}
			}
		case token.TagType:
			return &syntaxError{t.Position, "tags (!...) are not supported; text that begins with ! needs quotes"}
		case token.MappingKeyType:
			return &syntaxError{t.Position, "keys after a question mark are not supported"}
		case token.MappingValueType:
			if keys++; keys > maxKeys {
				return &syntaxError{message: "is too large: more than 30000 keys"}
			}
			if i > 0 && utf8.RuneCountInString(tokens[i-1].Value) > maxKey {
				return &syntaxError{tokens[i-1].Position, "this key is too long"}
			}
		case token.AnchorType, token.AliasType:
			if aliases++; aliases > maxAliases {
				return &syntaxError{t.Position, "more than 64 anchors and aliases"}
			}
		}
	}
	return nil
}

// nesting follows how deep the tokens of a document are nested: brackets, and columns of keys and dashes outside of them.
type nesting struct {
	brackets int
	columns  []int
}

func (n *nesting) of(tokens token.Tokens, i int) int {
	t := tokens[i]
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.brackets++
	case token.SequenceEndType, token.MappingEndType:
		n.brackets = max(n.brackets-1, 0)
	case token.SequenceEntryType:
		n.enter(t.Position.Column)
	case token.MappingValueType:
		if i > 0 {
			n.enter(tokens[i-1].Position.Column)
		}
	}
	return n.brackets + len(n.columns)
}

func (n *nesting) enter(column int) {
	if n.brackets > 0 {
		return
	}
	for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= column {
		n.columns = n.columns[:len(n.columns)-1]
	}
	n.columns = append(n.columns, column)
}
