package camera

import (
	"net/http"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Trouble is what is wrong with a stream: a code of the agent's (wire.CameraCodes), or one that the server itself sees.
// Empty is nothing.
type Trouble string

// The server's own.
const (
	TroubleOffline       Trouble = "agent_offline" // the printer's device is not connected
	TroubleSilent        Trouble = "agent_silent"  // it is, but opens no link
	TroubleNoFrames      Trouble = "no_frames"     // the link is there, and nothing comes
	TroubleNoKeyFrame    Trouble = Trouble(wire.CameraNoKeyFrame)
	TroubleBFrames       Trouble = "b_frames"       // of WebRTC alone
	TroubleNoPicture     Trouble = "no_picture"     // H.264 alone, and no ffmpeg to make a JPEG of it
	TroubleNoVideo       Trouble = "no_video"       // JPEG alone: no WebRTC and no HLS
	TroubleNoPath        Trouble = "no_viewer_path" // the page says that nothing reaches it
	TroubleUDPBlocked    Trouble = "udp_blocked"    // the same, of one way
	TroubleTCPBlocked    Trouble = "tcp_blocked"
	TroubleHTTPOnly      Trouble = "plugin_http_only"   // the published plugin's ffmpeg opens HTTP addresses only
	TroublePublish       Trouble = "plugin_not_started" // it was told to publish, and does not
	TroublePluginAddress Trouble = "plugin_address"     // the published plugin refuses characters of the address
	TroubleNoRTSP        Trouble = "rtsp_off"           // there is nowhere to publish to
	troubleWebRTCOff     Trouble = "webrtc_off"
)

// said is one trouble in one language.
type said struct{ message, cure string }

// words are for people, by code and language.
var words = map[Trouble]map[string]said{
	Trouble(wire.CameraUnreachable): {
		"en": {"Nothing answers at the camera's address.", "Check host and port, and that the camera is on and reachable from the computer beside the printer."},
		"ko": {"카메라 주소에서 응답이 없습니다.", "주소와 포트를 확인하고, 카메라가 켜져 있는지, 프린터 옆 컴퓨터에서 접속되는지 확인하세요."},
	},
	Trouble(wire.CameraNameNotFound): {
		"en": {"The camera's name is not known on the printer's network.", "Check the spelling, or use the camera's IP address."},
		"ko": {"프린터가 있는 네트워크에서 카메라 이름을 찾을 수 없습니다.", "철자를 확인하거나, 이름 대신 IP 주소를 입력하세요."},
	},
	Trouble(wire.CameraRefusedLogin): {
		"en": {"The camera wants a login, or refuses the one it gets.", "Put user name and password into the address: http://user:password@host/…"},
		"ko": {"카메라가 로그인을 요구하거나, 입력된 로그인을 거부합니다.", "주소에 사용자 이름과 비밀번호를 넣으세요: http://user:password@host/…"},
	},
	Trouble(wire.CameraNotFound): {
		"en": {"There is no camera at this path.", "Check the part behind the host; the camera's manual or web page has it. One that begins with v4l2:// has to be plugged in."},
		"ko": {"이 경로에 카메라가 없습니다.", "호스트 뒤의 경로를 확인하세요. 카메라 설명서나 설정 화면에 나와 있습니다. v4l2:// 주소라면 카메라가 꽂혀 있는지 확인하세요."},
	},
	Trouble(wire.CameraNotAStream): {
		"en": {"There is an answer, but no picture in it.", "This is often the camera's web page: enter the address of the stream itself."},
		"ko": {"응답은 있지만 영상이 아닙니다.", "카메라의 웹 화면 주소일 때가 많습니다. 스트림 자체의 주소를 입력하세요."},
	},
	Trouble(wire.CameraTimeout): {
		"en": {"No whole picture came from the camera in time.", "Check that it plays elsewhere, and that nobody else uses up the camera's connections."},
		"ko": {"카메라에서 제때 온전한 화면이 오지 않았습니다.", "다른 프로그램에서 재생되는지, 다른 접속이 카메라 연결을 모두 차지하고 있지 않은지 확인하세요."},
	},
	Trouble(wire.CameraTooLarge): {
		"en": {"The picture is larger than can be used.", "Set the camera to a smaller picture."},
		"ko": {"화면이 너무 커서 쓸 수 없습니다.", "카메라 설정에서 해상도를 낮추세요."},
	},
	Trouble(wire.CameraCodec): {
		"en": {"The camera's video format cannot be used.", "Set the camera to H.264 or MJPEG."},
		"ko": {"카메라의 영상 형식을 쓸 수 없습니다.", "카메라를 H.264 또는 MJPEG으로 설정하세요."},
	},
	Trouble(wire.CameraFFmpegMissing): {
		"en": {"This stream needs ffmpeg, which is not installed beside the printer.", "On the computer with OctoPrint: sudo apt install ffmpeg"},
		"ko": {"이 영상에는 ffmpeg가 필요한데, 프린터 옆 컴퓨터에 설치되어 있지 않습니다.", "OctoPrint가 있는 컴퓨터에서 실행하세요: sudo apt install ffmpeg"},
	},
	Trouble(wire.CameraFFmpegDied): {
		"en": {"ffmpeg beside the printer ended.", "Its last words are below. It is started again by itself; if it keeps ending, set the camera to H.264 or MJPEG."},
		"ko": {"프린터 옆 컴퓨터의 ffmpeg가 종료되었습니다.", "마지막 메시지가 아래에 있습니다. 자동으로 다시 시작합니다. 계속 종료되면 카메라를 H.264 또는 MJPEG으로 설정하세요."},
	},
	Trouble(wire.CameraAddressRefused): {
		"en": {"This address is not allowed for a camera.", "Enter the address of the camera itself."},
		"ko": {"카메라 주소로 쓸 수 없는 주소입니다.", "카메라 자체의 주소를 입력하세요."},
	},
	Trouble(wire.CameraBadURL): {
		"en": {"This is no address of a camera.", "It begins with http, https, rtsp, rtmp, webrtc, onvif or v4l2, such as http://192.168.0.10:8080/?action=stream or rtsp://192.168.0.10/live."},
		"ko": {"카메라 주소가 아닙니다.", "http, https, rtsp, rtmp, webrtc, onvif, v4l2로 시작하는 주소를 넣으세요. 예: http://192.168.0.10:8080/?action=stream, rtsp://192.168.0.10/live"},
	},
	Trouble(wire.CameraUplinkSlow): {
		"en": {"The printer's internet connection is too slow for this camera; pictures are left out.", "Install ffmpeg beside the printer (sudo apt install ffmpeg): video then takes a tenth. Or lower the camera's size or frame rate."},
		"ko": {"프린터 쪽 인터넷 업로드가 느려 화면을 건너뛰고 있습니다.", "프린터 옆 컴퓨터에 ffmpeg를 설치하면(sudo apt install ffmpeg) 영상이 10분의 1로 줄어듭니다. 카메라의 해상도나 프레임 수를 낮춰도 됩니다."},
	},
	Trouble(wire.CameraBusy): {
		"en": {"The computer beside the printer has as many cameras open as it can.", "Close another camera of this printer, then try again."},
		"ko": {"프린터 옆 컴퓨터가 열 수 있는 만큼 카메라를 이미 열었습니다.", "이 프린터의 다른 카메라를 닫고 다시 시도하세요."},
	},
	Trouble(wire.CameraDeviceBusy): {
		"en": {"Another program uses this camera.", "End it, often mjpg-streamer or camera-streamer, or enter the address at which that program gives the stream."},
		"ko": {"다른 프로그램이 이 카메라를 쓰고 있습니다.", "mjpg-streamer나 camera-streamer일 때가 많습니다. 그 프로그램을 끝내거나, 그 프로그램이 내보내는 스트림 주소를 입력하세요."},
	},
	Trouble(wire.CameraDeviceDenied): {
		"en": {"OctoPrint's user may not open this camera.", "On the computer with OctoPrint: sudo usermod -aG video $(whoami), then restart it."},
		"ko": {"OctoPrint 사용자에게 이 카메라를 열 권한이 없습니다.", "OctoPrint가 있는 컴퓨터에서 sudo usermod -aG video $(whoami) 를 실행한 뒤 다시 시작하세요."},
	},
	TroubleOffline: {
		"en": {"The computer beside the printer is not connected.", "Check that it is on and has internet. The picture comes back by itself."},
		"ko": {"프린터 옆 컴퓨터가 연결되어 있지 않습니다.", "전원과 인터넷 연결을 확인하세요. 다시 연결되면 화면이 저절로 돌아옵니다."},
	},
	TroubleSilent: {
		"en": {"The computer beside the printer is connected, but does not open the camera.", "Update the FACTOR plugin. Should that not help, restart OctoPrint."},
		"ko": {"프린터 옆 컴퓨터는 연결되어 있지만 카메라를 열지 않습니다.", "FACTOR 플러그인을 업데이트하세요. 그래도 안 되면 OctoPrint를 다시 시작하세요."},
	},
	TroubleNoFrames: {
		"en": {"The camera was opened, but no pictures come any more.", "Check that the camera plays elsewhere; restart it if it does not."},
		"ko": {"카메라를 열었지만 화면이 더 오지 않습니다.", "카메라가 다른 곳에서 재생되는지 확인하고, 안 되면 카메라를 다시 시작하세요."},
	},
	TroubleNoKeyFrame: {
		"en": {"The camera sends no key frame, so no picture can begin.", "Set its key frame interval (GOP, I-frame interval) to 2 seconds."},
		"ko": {"카메라가 키 프레임을 보내지 않아 화면을 시작할 수 없습니다.", "카메라 설정에서 키 프레임 간격(GOP, I-프레임 간격)을 2초로 맞추세요."},
	},
	TroubleBFrames: {
		"en": {"The camera sends B-frames, which WebRTC cannot show.", "It plays with some delay by HLS. For less delay set the camera to the baseline profile, or its B-frames to 0."},
		"ko": {"카메라가 WebRTC로는 보여 줄 수 없는 B-프레임을 보냅니다.", "HLS로 조금 늦게 재생됩니다. 지연을 줄이려면 카메라를 베이스라인 프로파일로, 또는 B-프레임을 0으로 설정하세요."},
	},
	TroubleNoPicture: {
		"en": {"The camera sends H.264 alone, and single pictures of it need ffmpeg.", "Install ffmpeg beside the printer or on the server (sudo apt install ffmpeg). The live picture works without."},
		"ko": {"카메라가 H.264만 보내며, 정지 화면을 만들려면 ffmpeg가 필요합니다.", "프린터 옆 컴퓨터나 서버에 ffmpeg를 설치하세요(sudo apt install ffmpeg). 실시간 화면은 없어도 됩니다."},
	},
	TroubleNoVideo: {
		"en": {"The camera sends single JPEGs (MJPEG), which WebRTC and HLS cannot carry.", "It is shown as MJPEG, and turned into H.264 by itself when the printer's uplink needs it. To have that always, choose it in the camera's settings; it needs ffmpeg beside the printer."},
		"ko": {"카메라가 JPEG(MJPEG)을 보내며, WebRTC와 HLS는 이를 전달할 수 없습니다.", "MJPEG으로 보여 주며, 프린터 쪽 업로드가 모자라면 저절로 H.264로 바꿉니다. 늘 그렇게 하려면 카메라 설정에서 고르세요. 프린터 옆 컴퓨터에 ffmpeg가 필요합니다."},
	},
	TroubleNoPath: {
		"en": {"The camera works, but no live picture reaches this browser.", "Its network blocks it. Pictures still come one by one; try another network, or ask the server's operator to open its camera port for UDP and TCP."},
		"ko": {"카메라는 작동하지만 이 브라우저까지 실시간 화면이 오지 않습니다.", "네트워크가 막고 있습니다. 정지 화면은 계속 옵니다. 다른 네트워크를 쓰거나, 서버 운영자에게 카메라 포트(UDP, TCP)를 열어 달라고 하세요."},
	},
	TroubleUDPBlocked: {
		"en": {"This browser's network lets no UDP through to the camera port.", "The picture comes by TCP. For less delay use another network, or ask the server's operator to open the camera port for UDP."},
		"ko": {"이 브라우저의 네트워크가 카메라 포트로 가는 UDP를 막고 있습니다.", "화면은 TCP로 옵니다. 지연을 줄이려면 다른 네트워크를 쓰거나, 서버 운영자에게 카메라 포트의 UDP를 열어 달라고 하세요."},
	},
	TroubleTCPBlocked: {
		"en": {"This browser's network lets neither UDP nor TCP through to the camera port.", "The picture comes over HTTPS, with some delay. For less use another network, or ask the server's operator to open the camera port."},
		"ko": {"이 브라우저의 네트워크가 카메라 포트로 가는 UDP와 TCP를 모두 막고 있습니다.", "화면은 HTTPS로 조금 늦게 옵니다. 지연을 줄이려면 다른 네트워크를 쓰거나, 서버 운영자에게 카메라 포트를 열어 달라고 하세요."},
	},
	TroubleHTTPOnly: {
		"en": {"The published plugin can open cameras over HTTP only.", "Enter the camera's http:// address, or install the FACTOR plugin, which opens all kinds."},
		"ko": {"공개 플러그인은 HTTP 카메라만 열 수 있습니다.", "카메라의 http:// 주소를 입력하거나, 모든 종류를 여는 FACTOR 플러그인을 설치하세요."},
	},
	TroublePluginAddress: {
		"en": {"The published plugin refuses this address: it takes none with one of ; & | ` $ ( ) < >.", "Use an address without, often the one before the first &. The FACTOR plugin takes all of them."},
		"ko": {"공개 플러그인이 이 주소를 거부합니다. ; & | ` $ ( ) < > 가 든 주소는 쓸 수 없습니다.", "그런 문자가 없는 주소를 쓰세요. 대개 첫 & 앞까지면 됩니다. FACTOR 플러그인에는 이런 제한이 없습니다."},
	},
	TroublePublish: {
		"en": {"The published plugin was told to send the camera, and does not.", "Check that ffmpeg is installed on the computer with OctoPrint, and that it reaches the server's RTSP port."},
		"ko": {"공개 플러그인에 카메라 전송을 요청했지만 보내지 않습니다.", "OctoPrint가 있는 컴퓨터에 ffmpeg가 설치되어 있는지, 서버의 RTSP 포트에 접속되는지 확인하세요."},
	},
	troubleWebRTCOff: {
		"en": {"WebRTC is off on this server.", "The picture comes by HLS, with some delay. The server's operator can turn WebRTC on."},
		"ko": {"이 서버에서 WebRTC가 꺼져 있습니다.", "HLS로 조금 늦게 재생됩니다. 서버 운영자가 WebRTC를 켤 수 있습니다."},
	},
	TroubleNoRTSP: {
		"en": {"The published plugin sends its camera by RTSP, which is off on this server.", "Install the FACTOR plugin, or ask the server's operator to turn RTSP on."},
		"ko": {"공개 플러그인은 RTSP로 카메라를 보내는데, 이 서버에서 꺼져 있습니다.", "FACTOR 플러그인을 설치하거나, 서버 운영자에게 RTSP를 켜 달라고 하세요."},
	},
}

// in gives a trouble's words in a language; English where there are none in it.
func (t Trouble) in(language string) said {
	byLanguage, ok := words[t]
	if !ok {
		byLanguage = words[Trouble(wire.CameraTimeout)]
	}
	if w, ok := byLanguage[language]; ok {
		return w
	}
	return byLanguage["en"]
}

// problem is a trouble as an answer to somebody who wanted a picture.
func (t Trouble) problem(language string) *problem.Problem {
	w := t.in(language)
	return problem.New(http.StatusConflict, string(t), w.message+" "+w.cure)
}
