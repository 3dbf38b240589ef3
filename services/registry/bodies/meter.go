package bodies

import "io"

// A Meter counts what of a body arrives, and asks now and then whether that much
// may.
type Meter struct {
	body io.Reader
	size int64 // that has arrived
	next int64 // size at which to ask again
	may  func(size int64) error
	err  error // the refusal
}

// meterStep is after how many bytes a Meter asks again.
const meterStep = 1 << 20

// NewMeter reads body for as long as may does not refuse its size in bytes. It
// asks at once for announced, the Content-Length of the request, which is 0 or
// less when that is not known, and once more at the end.
func NewMeter(body io.Reader, announced int64, may func(size int64) error) (*Meter, error) {
	m := &Meter{body: body, next: meterStep, may: may}
	if announced > 0 {
		m.next = announced
		return m, may(announced)
	}
	return m, nil
}

// Read ends with the error of a refusal.
func (m *Meter) Read(p []byte) (int, error) {
	n, err := m.body.Read(p)
	if m.size += int64(n); m.size >= m.next || err == io.EOF {
		m.next = m.size + meterStep
		if m.err = m.may(m.size); m.err != nil {
			return n, m.err
		}
	}
	return n, err
}

// Refused is the refusal that has ended the reading, nil without one.
func (m *Meter) Refused() error { return m.err }
