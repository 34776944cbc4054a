package gcode

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"image/png"
)

// Thumbnail is a picture of the print that the slicer put in.
type Thumbnail struct {
	Width    int    `json:"width" doc:"pixels"`
	Height   int    `json:"height" doc:"pixels"`
	Embedded string `json:"embedded" enum:"png,jpg,qoi" doc:"How the file has it"`
	Type     string `json:"type" enum:"image/png,image/jpeg" doc:"What it is served as"`
	Size     int    `json:"size" doc:"bytes"`
	Data     []byte `json:"-"` // whole PNG or JPEG; a PNG is written anew, without what else a file may hide in one
}

// What a picture may have. Slicers offer 16 to 600 pixels.
const (
	maxPictureSide  = 1024    // pixels
	maxPictureText  = 3 << 20 // bytes of Base64
	maxPicturesSize = 8 << 20 // bytes, all of a file
)

// pictures gathers the thumbnails of a file.
type pictures struct {
	all  []Thumbnail
	size int

	open  bool
	kind  string // png, jpg, qoi
	end   string // the comment that ends it
	text  []byte
	count int
}

// pictureBeginnings are the comments that begin a thumbnail, with what follows in the file: Prusa's and Orca's words,
// Cura's post-processing script, Creality's.
var pictureBeginnings = []struct{ begin, end, kind string }{
	{"thumbnail begin ", "thumbnail end", "png"},
	{"thumbnail_PNG begin ", "thumbnail_PNG end", "png"},
	{"thumbnail_JPG begin ", "thumbnail_JPG end", "jpg"},
	{"thumbnail_QOI begin ", "thumbnail_QOI end", "qoi"},
	{"png begin ", "png end", "png"},
	{"jpg begin ", "jpg end", "jpg"},
}

// pictureURL begins a thumbnail of Snapmaker's on one line.
const pictureURL = "thumbnail: data:image/png;base64,"

// comment takes a comment that belongs to a thumbnail.
func (p *pictures) comment(a *analysis, b []byte) (taken bool, err error) {
	if p.open {
		if string(b) == p.end {
			return true, p.close(a)
		}
		return true, p.add(b)
	}
	if bytes.HasPrefix(b, []byte(pictureURL)) {
		p.begin("png", "")
		if err := p.add(b[len(pictureURL):]); err != nil {
			return true, err
		}
		return true, p.close(a)
	}
	for _, kind := range pictureBeginnings {
		if bytes.HasPrefix(b, []byte(kind.begin)) {
			if p.count++; p.count > MaxThumbnails {
				return true, refuse(TooManyThumbnails, "more than %d thumbnails", MaxThumbnails)
			}
			p.begin(kind.kind, kind.end)
			return true, nil
		}
	}
	return false, nil
}

func (p *pictures) begin(kind, end string) {
	p.open, p.kind, p.end = true, kind, end
	p.text = p.text[:0]
}

func (p *pictures) add(b []byte) error {
	if len(p.text)+len(b) > maxPictureText {
		return refuse(Hostile, "a thumbnail has more than %d MB of text", maxPictureText>>20)
	}
	p.text = append(p.text, b...)
	return nil
}

func (p *pictures) close(a *analysis) error {
	p.open = false
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(p.text)))
	n, err := base64.StdEncoding.Decode(raw, p.text)
	var t Thumbnail
	if err == nil {
		t, err = readPicture(raw[:n], p.kind)
	}
	if CodeOf(err) != "" {
		return err
	}
	if err != nil {
		if !a.warned[BadThumbnail] {
			a.warned[BadThumbnail] = true
			a.report.Warnings = append(a.report.Warnings, Warning{Code: BadThumbnail, Line: a.lines.lines})
		}
		return nil
	}
	if p.size += t.Size; p.size > maxPicturesSize {
		return refuse(TooManyThumbnails, "the thumbnails have more than %d MB together", maxPicturesSize>>20)
	}
	p.all = append(p.all, t)
	return nil
}

// readPicture decodes a picture after looking at the size that it claims. One that claims too much is refused, as the
// browser that shows it would have to make room for that.
func readPicture(raw []byte, kind string) (Thumbnail, error) {
	t := Thumbnail{Embedded: kind, Type: "image/png"}
	var size image.Config
	var err error
	switch kind {
	case "png":
		size, err = png.DecodeConfig(bytes.NewReader(raw))
	case "jpg":
		size, err = jpeg.DecodeConfig(bytes.NewReader(raw))
	default:
		size, err = qoiConfig(raw)
	}
	if err != nil {
		return t, err
	}
	if size.Width > maxPictureSide || size.Height > maxPictureSide {
		return t, refuse(Hostile, "a thumbnail claims %d × %d pixels; %d × %d are taken",
			size.Width, size.Height, maxPictureSide, maxPictureSide)
	}
	t.Width, t.Height = size.Width, size.Height
	var picture image.Image
	switch kind {
	case "png":
		picture, err = png.Decode(bytes.NewReader(raw))
	case "jpg":
		// Kept as it is, once it is known to decode: writing it anew would cost what it looks like.
		if _, err = jpeg.Decode(bytes.NewReader(raw)); err == nil {
			t.Type, t.Data, t.Size = "image/jpeg", raw, len(raw)
		}
		return t, err
	default:
		picture, err = qoiDecode(raw)
	}
	if err != nil {
		return t, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return t, err
	}
	t.Data, t.Size = out.Bytes(), out.Len()
	return t, nil
}
