package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// syntaxError is why a source is not YAML, or not YAML of the kind that is read here.
type syntaxError struct {
	at      *token.Position // nil where unknown
	message string
}

// parseDocument returns the root of the only document in data; nil when there is none but comments.
func parseDocument(data []byte) (ast.Node, *syntaxError) {
	if len(data) > maxBytes {
		return nil, &syntaxError{message: "is larger than 1MiB"}
	}
	if !utf8.Valid(data) {
		return nil, &syntaxError{message: "is not UTF-8 text"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	if err := checkBlocks(data); err != nil {
		return nil, err
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // the decoder finds duplicates, all of them
	if err != nil {
		return nil, explain(err)
	}
	return onlyDocument(file)
}

func onlyDocument(file *ast.File) (ast.Node, *syntaxError) {
	var root ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if root != nil {
			return nil, &syntaxError{at: position(doc.Body), message: "a second YAML document; only one is read"}
		}
		root = doc.Body
	}
	return root, nil
}

// explain turns the parser's error into one line, without the piece of source that it shows: that may hold secrets.
func explain(err error) *syntaxError {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return &syntaxError{message: "is not YAML"}
	}
	t := syntax.GetToken()
	message, _, _ := strings.Cut(syntax.GetMessage(), ": ") // what follows is text from the source
	return &syntaxError{t.Position, message + hint(t)}
}

// hint says what is meant most often where the parser only says what it met.
func hint(t *token.Token) string {
	switch {
	case t.Type == token.AliasType, t.Prev != nil && t.Prev.Type == token.AliasType:
		return " (text that begins with * needs quotes)"
	case strings.HasPrefix(t.Value, ":"), t.Type == token.MappingValueType:
		return " (text with colons needs quotes)"
	case t.Type == token.MappingStartType, strings.HasSuffix(t.Value, "$"), t.Prev != nil && strings.HasSuffix(t.Prev.Value, "$"):
		return " (text with braces needs quotes)"
	}
	return ""
}

func position(n ast.Node) *token.Position {
	if n == nil || n.GetToken() == nil {
		return nil
	}
	return n.GetToken().Position
}
