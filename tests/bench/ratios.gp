# Bars: what ours costs dom0 in terms of the in-tree module; lines across them: targets. A column of
# ratios.dat that is not known is NaN, and so is its bar.
set terminal svg size 1200,560 dynamic font "sans-serif,13" background "white"
set output "ratios.svg"
set title "Instructions of dom0 for an I/O: ours ÷ in-tree (less is better; black lines are targets)"
set style fill solid border rgb "white"
set boxwidth 0.2
set bars 0
set yrange [0:*]
set grid ytics lc rgb "#dddddd"
set xtics rotate by 25 right nomirror scale 0
set lmargin 14
set key outside top center horizontal
set arrow from graph 0, first 1 to graph 1, first 1 nohead dt 2 lc rgb "#888888"
place(i) = -0.3 + 0.2 * i
known(i) = column(2 + 2 * i) == column(2 + 2 * i)
plot "ratios.dat" using 0:(0):xtic(1) with points pt -1 notitle, \
	for [i=0:3] "ratios.dat" using ($0 + place(i)):(column(2 + 2 * i)) with boxes \
	lc rgb word("#4878a8 #a0c0e0 #c06030 #f0b080", i + 1) \
	title sprintf("%d %s, persistent %s", i < 2 ? 1 : 4, i < 2 ? "queue" : "queues", i % 2 ? "on" : "off"), \
	for [i=0:3] "ratios.dat" using ($0 + place(i)):(known(i) ? column(3 + 2 * i) : NaN):(0.1) \
	with xerrorbars pt -1 lw 2 lc rgb "black" notitle
