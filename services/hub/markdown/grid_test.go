package markdown
import ("testing";"strings";"time";"fmt";"runtime";"os";"math/rand/v2")
func rep(s string) string { return strings.Repeat(s, MaxSource/len(s)) }
func TestGrid(t *testing.T) {
	r := New()
	atoms := []string{"*","_","~~","[","]","(",")","`","``","<","&",";","\\","|","@",":","!","a","b "," ","\n","\n\n","- ","1. ","> ","#","# ","\t","    ","```\n","~~~\n","---\n","===\n","<a ","<!--","-->","<?","<![CDATA[","x=\"","</a>","http://a.b","www.a","[a]: b\n","[a]","](","![","&#1","**","***","_a","<div>","<script>","'","\"","https://","mailto:a@b.c","]: ", "[^a]","|-|-|\n","|a|b\n","-","+ \n","é","\x00","\f","\r","\v", "a\n", "<p>\n","<x@y"}
	var worst time.Duration
	try := func(s string) {
		if len(s) > MaxSource { s = s[:MaxSource] }
		if judge([]byte(s)) != nil { return }
		var a,b runtime.MemStats
		runtime.ReadMemStats(&a)
		st := time.Now()
		_, err := r.render([]byte(s))
		d := time.Since(st)
		runtime.ReadMemStats(&b)
		al := (b.TotalAlloc-a.TotalAlloc)>>20
		if d > 300*time.Millisecond || al > 150 {
			q := s; if len(q) > 60 { q = q[:60] }
			fmt.Printf("%v %dMB %v %q\n", d.Round(time.Millisecond), al, err, q)
		}
		if d > worst { worst = d }
	}
	switch os.Getenv("GRID") {
	case "":
		t.Skip()
	case "1":
		for _, a := range atoms { try(rep(a)); for _, b := range atoms { try(rep(a+b)) } }
	case "3":
		for _, a := range atoms { for _, b := range atoms { 
			for _, tail := range []string{"", "\n\n" + strings.Repeat("word word word word\n\n", 4000)} {
			lo, hi := 1, MaxSource/len(a+b)
			for lo < hi { m := (lo+hi+1)/2; if judge([]byte(strings.Repeat(a+b, m)+tail)) == nil { lo = m } else { hi = m-1 } }
			try(strings.Repeat(a+b, lo)+tail) } } }
	case "2":
		end := time.Now().Add(60*time.Second)
		rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()),2))
		for time.Now().Before(end) {
			p := ""
			for range 1+rnd.IntN(6) { x := atoms[rnd.IntN(len(atoms))]; p += strings.Repeat(x, 1+rnd.IntN(3)) }
			pre, post := "", ""
			if rnd.IntN(3)==0 { pre = strings.Repeat(atoms[rnd.IntN(len(atoms))], rnd.IntN(400)) }
			if rnd.IntN(3)==0 { post = strings.Repeat(atoms[rnd.IntN(len(atoms))], rnd.IntN(400)) }
			if rnd.IntN(3)==0 { n := 1+rnd.IntN(30); p = strings.Repeat(p, n)+"\n"; if rnd.IntN(2)==0 {p+="\n"} }
			n := (MaxSource-len(pre)-len(post))/len(p)
			if n > 1 && rnd.IntN(2)==0 { n = 1+rnd.IntN(n) }
			if n < 1 { continue }
			try(pre+strings.Repeat(p,n)+post)
		}
	}
	fmt.Println("worst", worst)
}
