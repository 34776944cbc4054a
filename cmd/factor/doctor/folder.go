package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/line"
	"github.com/kangbyounggwan/factor/internal/server/store"
	_ "modernc.org/sqlite"
)

// Space below which the operator should act: a database that cannot grow stops the server.
const (
	littleSpace = 1 << 30
	noSpace     = 100 << 20
)

func checkSettings(_ context.Context, p *Patient) []Finding {
	err := p.Settings.Validate()
	if err == nil {
		return good("settings", "The settings are valid.", "설정이 올바릅니다.")
	}
	var all []Finding
	korean := strings.Split(line.InKorean(err), "\n")
	for i, english := range strings.Split(err.Error(), "\n") {
		all = append(all, finding("settings", Bad, english, korean[i], "Correct this setting.", "이 설정을 고치세요.")...)
	}
	return all
}

// writableAbove tries the nearest folder above one that is not there, in which it would be made. It leaves nothing.
func writableAbove(dir string) (above string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return dir, err
	}
	for above = filepath.Dir(dir); ; above = filepath.Dir(above) {
		if _, err := os.Stat(above); !errors.Is(err, fs.ErrNotExist) || above == filepath.Dir(above) {
			break
		}
	}
	probe, err := os.MkdirTemp(above, ".factor-doctor-")
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err // without the probe's name
		}
		return above, err
	}
	return above, os.Remove(probe)
}

func checkFolder(_ context.Context, p *Patient) []Finding {
	dir := p.Settings.Data
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if above, err := writableAbove(dir); err != nil {
			return finding("data", Bad, fmt.Sprintf("The data folder %s cannot be made: %s cannot be written to (%v).", dir, above, err),
				fmt.Sprintf("데이터 폴더 %s을(를) 만들 수 없습니다. %s에 쓸 수 없습니다 (%v).", dir, above, line.Reason(err)),
				"Make it and give it to the user who runs factor, or choose another with --data.", "폴더를 만들어 factor를 실행하는 사용자에게 주거나 --data로 다른 폴더를 고르세요.")
		}
		return finding("data", Warning, "There is no data folder "+dir+" yet.", "데이터 폴더 "+dir+"이(가) 아직 없습니다.",
			"`factor serve` makes it. If it should be there, look at --data.", "`factor serve`가 만듭니다. 이미 있어야 한다면 --data를 확인하세요.")
	}
	if unusable := app.MakeFolder(dir); unusable != nil {
		err = unusable // in words
	}
	if err != nil {
		if app.DiskFull(err) { // the words say what to do
			return finding("data", Bad, err.Error(), line.InKorean(err), "", "")
		}
		return finding("data", Bad, err.Error(), line.InKorean(err), "Run factor as the user who owns the folder.", "폴더의 소유자로 factor를 실행하세요.")
	}
	if app.OpenToOthers(info) {
		return finding("data", Warning, fmt.Sprintf("Others on this machine may look into %s (%v).", dir, info.Mode().Perm()),
			fmt.Sprintf("이 컴퓨터의 다른 사용자가 %s을(를) 볼 수 있습니다 (%v).", dir, info.Mode().Perm()),
			"`factor serve` makes it its owner's alone when it starts as that user. By hand: chmod 700 "+dir,
			"`factor serve`를 폴더의 소유자로 시작하면 소유자만 접근하도록 바꿉니다. 직접 하려면: chmod 700 "+dir)
	}
	for _, key := range []string{"ca.key", "server.key"} {
		path := filepath.Join(p.Settings.TLSDir(), key)
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
			return finding("data", Bad, path+" can be read by others.", path+"을(를) 다른 사용자가 읽을 수 있습니다.", "chmod 600 "+path, "chmod 600 "+path)
		}
	}
	return good("data", "The data folder "+dir+" can be written, and by its owner only.", "데이터 폴더 "+dir+"에 쓸 수 있고, 소유자만 접근할 수 있습니다.")
}

func checkSpace(_ context.Context, p *Patient) []Finding {
	free, err := freeSpace(existing(p.Settings.Data))
	if err != nil {
		return nil // this system does not say
	}
	mb := free >> 20
	english, korean := fmt.Sprintf("%d MB are free for data.", mb), fmt.Sprintf("데이터에 쓸 수 있는 공간이 %d MB입니다.", mb)
	cureEnglish, cureKorean := "Free some space, or move the data folder to another disk.", "공간을 비우거나 데이터 폴더를 다른 디스크로 옮기세요."
	switch {
	case free < noSpace:
		return finding("space", Bad, english, korean, cureEnglish, cureKorean)
	case free < littleSpace:
		return finding("space", Warning, english, korean, cureEnglish, cureKorean)
	}
	return good("space", english, korean)
}

// existing gives the folder itself, or the nearest one above it that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "."
		}
		dir = up
	}
}

func checkDatabase(ctx context.Context, p *Patient) []Finding {
	var all []Finding
	for _, name := range []string{store.MainFile, store.HistoryFile} {
		path := filepath.Join(p.Settings.Data, name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if err := quickCheck(ctx, path); err != nil {
			all = append(all, finding("database", Bad, fmt.Sprintf("The database %s is damaged: %v.", path, err),
				fmt.Sprintf("데이터베이스 %s이(가) 손상되었습니다: %v", path, err),
				"Stop the server and put back the newest copy from the folder backups, or from your own backup.",
				"서버를 멈추고 backups 폴더나 직접 백업한 최신 사본으로 되돌리세요.")...)
		}
	}
	if all == nil {
		return good("database", "The databases are sound.", "데이터베이스에 이상이 없습니다.")
	}
	return all
}

// quickCheck has SQLite look its pages over. It reads only, and does not disturb a running server.
func quickCheck(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer db.Close()
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return errors.New(result)
	}
	return nil
}
