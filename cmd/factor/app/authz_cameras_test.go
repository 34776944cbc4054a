package app

// The calls of one camera, which a printer's first camera has as well.
func init() {
	// A device logs in there with its UUID and token, which nobody of the cast shows: internal/server/camera.
	table["GET /api/device/link"] = struct {
		row
		body string
	}{row{"devices", []string{sign, sign, sign, sign, sign, sign, sign, sign, sign, sign, sign}}, ""}
	for _, camera := range []string{"/api/v1/printers/{uuid}/cameras/{camera}", "/api/v1/printers/{uuid}/camera"} {
		for call, body := range map[string]string{
			"GET " + camera:                        "",
			"POST " + camera + "/tokens":           `{"rung":"mjpeg"}`,
			"POST " + camera + "/report":           `{"code":"udp_blocked"}`,
			"GET " + camera + "/snapshot.jpg":      "",
			"GET " + camera + "/mjpeg":             "",
			"GET " + camera + "/hls/{file}":        "",
			"POST " + camera + "/whep":             `"v=0"`,
			"OPTIONS " + camera + "/whep":          "",
			"PATCH " + camera + "/whep/{session}":  `"a=mid:0"`,
			"DELETE " + camera + "/whep/{session}": "",
		} {
			table[call] = struct {
				row
				body string
			}{lookers, body}
		}
	}
}
