package transfer

import "golang.org/x/sys/windows"

// free gives the bytes that this program may still write on dir's drive.
func free(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var left uint64
	err = windows.GetDiskFreeSpaceEx(path, &left, nil, nil)
	return int64(left), err
}
