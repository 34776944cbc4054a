package mail

var korean = map[Kind]text{
	KindVerify: {
		Subject: "이메일 주소를 확인해 주세요",
		Title:   "이메일 주소를 확인해 주세요",
		Lines:   []string{"이 주소로 FACTOR 회원가입 신청이 들어왔습니다. 직접 신청하셨다면 아래 링크를 눌러 주세요. 바로 사용하실 수 있습니다."},
		Button:  "이메일 확인",
		After:   []string{"링크는 24시간 동안 한 번만 쓸 수 있습니다.", "직접 신청하지 않으셨다면 그대로 두세요. 계정은 만들어지지 않습니다."},
	},
	KindSignupTaken: {
		Subject: "이미 FACTOR 계정이 있습니다",
		Title:   "이미 계정이 있습니다",
		Lines:   []string{"이 주소로 FACTOR 회원가입 신청이 들어왔지만, 이미 계정이 있습니다. 직접 신청하셨다면 로그인해 주세요. 계정은 아무것도 바뀌지 않았습니다."},
		Button:  "로그인",
		After:   []string{"비밀번호를 잊으셨다면 로그인 화면에서 다시 정할 수 있습니다.", "직접 신청하지 않으셨다면 그대로 두세요."},
	},
	KindReset: {
		Subject: "새 비밀번호를 정해 주세요",
		Title:   "새 비밀번호를 정해 주세요",
		Lines:   []string{"이 주소의 FACTOR 계정에 새 비밀번호 요청이 들어왔습니다. 직접 요청하셨다면 아래 링크에서 정해 주세요."},
		Button:  "새 비밀번호 정하기",
		After:   []string{"링크는 1시간 동안 한 번만 쓸 수 있습니다. 모든 기기에서 로그아웃됩니다.", "직접 요청하지 않으셨다면 그대로 두세요. 비밀번호는 바뀌지 않습니다."},
	},
	KindPasswordChanged: {
		Subject: "비밀번호가 바뀌었습니다",
		Title:   "비밀번호가 바뀌었습니다",
		Lines:   []string{"방금 FACTOR 계정의 비밀번호가 바뀌었습니다."},
		Button:  "내가 바꾸지 않았습니다: 새 비밀번호 정하기",
		After:   []string{"직접 바꾸셨다면 그대로 두세요."},
	},
	KindEmailConfirm: {
		Subject: "새 이메일 주소를 확인해 주세요",
		Title:   "새 이메일 주소를 확인해 주세요",
		Lines:   []string{"FACTOR 계정의 이메일을 이 주소로 바꾸려고 합니다. 아래 링크를 눌러 확인해 주세요."},
		Button:  "이메일 확인",
		After:   []string{"링크는 24시간 동안 한 번만 쓸 수 있습니다.", "직접 요청하지 않으셨다면 그대로 두세요."},
	},
	KindEmailTaken: {
		Subject: "다른 계정에서 이 주소를 쓰려고 했습니다",
		Title:   "다른 계정에서 이 주소를 쓰려고 했습니다",
		Lines:   []string{"다른 FACTOR 계정에서 이 주소를 쓰려고 했습니다. 이미 회원님의 계정이 쓰는 주소이므로 아무것도 바뀌지 않았습니다."},
		After:   []string{"직접 하신 일이라면 이 계정을 먼저 삭제하거나 다른 주소를 골라 주세요."},
	},
	KindEmailChanging: {
		Subject: "이메일 주소 변경 요청이 있습니다",
		Title:   "이메일 주소 변경 요청이 있습니다",
		Lines:   []string{"FACTOR 계정의 이메일을 다음 주소로 바꾸려고 합니다: {{.NewEmail}}", "새 주소에서 확인하면 바뀝니다."},
		After:   []string{"직접 요청하지 않으셨다면 지금 로그인해서 비밀번호를 바꿔 주세요."},
	},
	KindEmailChanged: {
		Subject: "이메일 주소가 바뀌었습니다",
		Title:   "이메일 주소가 바뀌었습니다",
		Lines:   []string{"FACTOR 계정의 이메일이 다음 주소로 바뀌었습니다: {{.NewEmail}}", "이제 이 주소로는 로그인할 수 없습니다."},
		After:   []string{"직접 요청하지 않으셨다면 바로 서버 운영자에게 알려 주세요."},
	},
	KindInvitation: {
		Subject: "FACTOR 초대장",
		Title:   "FACTOR에 초대받으셨습니다",
		Lines:   []string{"{{.InvitedBy}} 님이 FACTOR에 초대했습니다. 3D 프린터를 어디서든 지켜보고 조작할 수 있습니다."},
		Button:  "회원가입",
		After:   []string{"링크는 7일 동안 한 번만 쓸 수 있습니다."},
	},
	KindMember: {
		Subject: "프린터를 함께 쓰자는 초대가 왔습니다",
		Title:   "프린터를 함께 쓰자는 초대가 왔습니다",
		Lines:   []string{"{{.InvitedBy}} 님이 작업 공간 ‘{{.Workspace}}’에 초대했습니다."},
		Button:  "답하기",
		After:   []string{"수락하기 전에는 아무것도 공유되지 않습니다. 초대는 14일 동안 유효합니다."},
	},
	KindTest: {
		Subject: "FACTOR 시험 메일",
		Title:   "메일이 잘 나갑니다",
		Lines:   []string{"FACTOR가 메일을 보낼 수 있는지 알아보려고 보낸 메일입니다. 잘 도착했습니다."},
	},
}
