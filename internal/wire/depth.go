package wire

// MaxDepth is how many objects and lists may be within one another in what is kept as it came. Nothing of OctoPrint's
// comes near it, and what is nested thousands of levels deep can end whoever reads it.
const MaxDepth = 16

// TooDeep tells whether a JSON value is nested deeper than MaxDepth. The value must be valid.
func TooDeep(value []byte) bool {
	depth, text := 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
