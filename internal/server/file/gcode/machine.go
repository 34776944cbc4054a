package gcode

// machine reads lines as a printer's firmware does and tells its sink what they mean. What Analyse and Toolpath have in
// common is here. It is used by one goroutine.
type machine struct {
	sink sink

	m      move // the last move: its end is where the nozzle is
	e      float64
	origin [3]float64 // printer's coordinates of the file's zero, which G92 moves
	unit   float64    // mm of one unit: 1, or 25.4 after G20
	feed   float64    // mm/s
	relXYZ bool       // G91
	relE   bool       // M83
	tool   int
	marker []byte // the kind of comment that this file's layers begin with
	layers int64
	unread int64 // lines that are neither G-code nor a comment
	read   int64 // G, M and T commands
	words  command
}

// move is from where the nozzle was to where it is, in the printer's coordinates, mm.
type move struct {
	x0, y0, z0 float64
	x1, y1, z1 float64
	de         float64 // filament pushed, negative is pulled; mm, or mm³ where the printer counts so
	i, j       float64 // an arc's centre, from its beginning
	feed       float64 // mm/s
	arc        int8    // 0 straight, 1 clockwise (G2), -1 counter-clockwise (G3)
}

// prints says whether the move lays filament down: a retraction undone on the spot does not.
func (m *move) prints() bool {
	return m.de > 0 && (m.x0 != m.x1 || m.y0 != m.y1 || m.arc != 0)
}

// sink is who wants to know. What it is given is valid during the call only.
type sink interface {
	move(m *move)
	toolChange(tool int)
	layerBegins()              // by a comment; files without such comments never call it
	comment(text []byte) error // without its semicolon and outer spaces
	command(c *command)        // what is not a move
	macro(line []byte)         // a named command, as Klipper has them, or OctoPrint's @commands
}

// command is a G, M or T command with its words.
type command struct {
	letter byte
	number int
	sub    int // G92.1: 1
	has    uint32
	value  [26]float64
	line   []byte
}

func (c *command) word(letter byte) (float64, bool) {
	i := letter - 'A'
	return c.value[i], c.has&(1<<i) != 0
}

func newMachine(s sink) *machine { return &machine{sink: s, unit: 1, feed: 25} }

// line reads one line.
func (k *machine) line(b []byte) error {
	if len(b) > 2 && b[0] == 'G' && b[2] == ' ' && b[1]-'0' <= 3 {
		k.read++
		return k.motion(int(b[1]-'0'), b[3:])
	}
	return k.other(b)
}

// other reads whatever is not a plainly written move.
func (k *machine) other(b []byte) error {
	b = trim(b)
	if len(b) > 3 && b[0] == 0xef && string(b[:3]) == "\ufeff" { // Windows' editors put it before the first line
		b = trim(b[3:])
	}
	if len(b) == 0 {
		return nil
	}
	if b[0] == ';' {
		return k.comment(b[1:])
	}
	if err := checkBytes(b); err != nil {
		return err
	}
	// N12 G1 X1*33: numbered for a serial line, as host programs save what they sent.
	if upper(b[0]) == 'N' && len(b) > 1 && isDigit(b[1]) {
		i := 1
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		if b = trim(b[i:]); len(b) == 0 {
			return nil
		}
	}
	letter := upper(b[0])
	switch {
	case letter == 'G' || letter == 'M' || letter == 'T':
		if number, i := digits(b, 1); i > 1 && (i == len(b) || !isName(b[i]) || isWord(b[i:])) {
			k.read++
			return k.perform(letter, number, b, i)
		}
	case letter == 'F' || letter >= 'X' && letter <= 'Z':
		// G-code allows to leave out a G1 that is repeated; no 3D printer does.
	case b[0] == '(' || b[0] == '%' || b[0] == ';':
		return nil
	}
	if isMacro(b) {
		k.sink.macro(b)
		return nil
	}
	k.unread++
	return nil
}

// perform does a command whose words begin at b[i].
func (k *machine) perform(letter byte, number int, b []byte, i int) error {
	c := &k.words
	c.letter, c.number, c.sub, c.has, c.line = letter, number, 0, 0, b
	if i < len(b) && b[i] == '.' {
		c.sub, i = digits(b, i+1)
	}
	if letter == 'G' && c.sub == 0 {
		switch number {
		case 0, 1, 2, 3:
			return k.motion(number, b[i:])
		case 5: // a spline: its end is what matters here
			return k.motion(1, b[i:])
		}
	}
	c.read(b[i:])
	switch letter {
	case 'G':
		k.mode(c)
	case 'M':
		switch number {
		case 82:
			k.relE = false
		case 83:
			k.relE = true
		}
	case 'T':
		// Slicers for printers with an own changer use numbers such as T255 and T1000 for its rest positions.
		if number < MaxTools && (i == len(b) || b[i] != '?') {
			k.tool = number
			k.sink.toolChange(number)
		}
	}
	k.sink.command(c)
	return nil
}

// mode does the G commands that change how moves are read.
func (k *machine) mode(c *command) {
	switch c.number {
	case 20:
		k.unit = 25.4
	case 21:
		k.unit = 1
	case 28:
		k.home(c)
	case 90:
		k.relXYZ = false
	case 91:
		k.relXYZ = true
	case 92:
		k.setPosition(c)
	}
}

// home puts the named axes, or all of them, at zero: where exactly the switches are, no file says.
func (k *machine) home(c *command) {
	const axes = 1<<('X'-'A') | 1<<('Y'-'A') | 1<<('Z'-'A')
	for axis, at := range [3]*float64{&k.m.x1, &k.m.y1, &k.m.z1} {
		if _, named := c.word("XYZ"[axis]); named || c.has&axes == 0 {
			*at, k.origin[axis] = 0, 0
		}
	}
}

// setPosition is G92: the nozzle stays, its coordinates change. G92.1 takes all such shifts back.
func (k *machine) setPosition(c *command) {
	if c.sub == 1 {
		k.origin = [3]float64{}
		return
	}
	for axis, at := range [3]float64{k.m.x1, k.m.y1, k.m.z1} {
		if v, ok := c.word("XYZ"[axis]); ok {
			k.origin[axis] = at - v*k.unit
		}
	}
	if v, ok := c.word('E'); ok {
		k.e = v * k.unit
	}
}

func (k *machine) absolute(from, v float64, axis int) float64 {
	if k.relXYZ {
		return from + v*k.unit
	}
	return v*k.unit + k.origin[axis]
}

// push takes an E word. G91 makes E relative too: firmware disagrees on what G90 does to a preceding M83, slicers write
// the two in an order that means the same everywhere.
func (k *machine) push(v float64) {
	v *= k.unit
	if k.relE || k.relXYZ {
		k.m.de = v
		k.e += v
		return
	}
	k.m.de = v - k.e
	k.e = v
}

func (k *machine) comment(text []byte) error {
	if err := checkBytes(text); err != nil {
		return err
	}
	text = trim(text)
	if kind := layerMarker(text); kind != nil {
		// Owners add markers of a second kind for other programs; the first kind that a file has counts.
		if k.marker == nil {
			k.marker = kind
		}
		if &kind[0] == &k.marker[0] {
			if k.layers++; k.layers > MaxLayers {
				return refuse(TooManyLayers, "more than %d layers", MaxLayers)
			}
			k.sink.layerBegins()
		}
	}
	return k.sink.comment(text)
}

// The comments that begin a layer, by slicer.
var (
	markerPrusa      = []byte("LAYER_CHANGE") // PrusaSlicer, SuperSlicer, OrcaSlicer
	markerBambu      = []byte("CHANGE_LAYER") // Bambu Studio, OrcaSlicer for its printers
	markerCura       = []byte("LAYER:")       // Cura, ideaMaker
	markerSimplify   = []byte("layer ")       // Simplify3D: layer 3, Z = 0.6
	markerKISSlicer  = []byte("BEGIN_LAYER_OBJECT")
	markersBeginning = [][]byte{markerCura, markerSimplify, markerKISSlicer}
)

// layerMarker returns which kind of layer's beginning a comment is, nil if none.
func layerMarker(text []byte) []byte {
	if len(text) < 7 {
		return nil
	}
	switch text[0] {
	case 'L', 'C', 'l', 'B':
	default:
		return nil
	}
	switch {
	case string(text) == string(markerPrusa):
		return markerPrusa
	case string(text) == string(markerBambu):
		return markerBambu
	}
	for _, marker := range markersBeginning {
		if len(text) > len(marker) && string(text[:len(marker)]) == string(marker) {
			rest := trim(text[len(marker):])
			if len(rest) > 0 && (isDigit(rest[0]) || rest[0] == '-' || rest[0] == 'z') {
				return marker
			}
		}
	}
	return nil
}
