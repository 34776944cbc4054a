package gcode

import "bytes"

// sniffed is how much of a file's beginning tells what it is.
const sniffed = 512

// foreign are files that people take for G-code, by their first bytes.
var foreign = []struct {
	magic string
	text  string
}{
	{"PK\x03\x04", "this is a zip archive or a 3MF project: export G-code from the slicer"},
	{"\x1f\x8b", "this is compressed by gzip: unpack it first"},
	{"7z\xbc\xaf", "this is a 7-zip archive: unpack it first"},
	{"Rar!", "this is a RAR archive: unpack it first"},
	{"solid ", "this is a model (STL): slice it first"},
	{"\x89PNG", "this is a picture"},
	{"\xff\xd8\xff", "this is a picture"},
	{"%PDF", "this is a PDF document"},
	{"<", "this is a web page or XML"},
	{"MZ", "this is a program"},
	{"\x7fELF", "this is a program"},
	{"\xff\xfe", "this is text in UTF-16: save it as UTF-8"},
	{"\xfe\xff", "this is text in UTF-16: save it as UTF-8"},
}

// binaryMagic begins Prusa's binary G-code.
const binaryMagic = "GCDE"

func isBinary(head []byte) bool { return bytes.HasPrefix(head, []byte(binaryMagic)) }

// sniff refuses what is no text by its beginning.
func sniff(head []byte) error {
	if len(head) < sniffed && len(bytes.TrimSpace(head)) == 0 {
		return refuse(NotGCode, "the file is empty")
	}
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return refuse(NotGCode, "%s", f.text)
		}
	}
	if i := bytes.IndexByte(head, 0); i >= 0 {
		return refuse(NotGCode, "the file is no text: export G-code from the slicer")
	}
	return nil
}
