// In a page without a kernel: light every mark and row that belongs to the tapped one. Bokeh gives `places`, the sources
// of the marks, `sets`, what each row of a source sets, and `rows_set`, what each row of the table sets.
const rows = [...document.querySelectorAll(".dx-rows tbody tr")];
const own = (place, index) => sets[place][places[place].data.row[index] - 1];
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
// Two marks belong together if they agree in all that both set, and there is any such thing.
const agree = (one, other) => {
  const shared = Object.keys(one).filter((name) => name in other);
  return shared.length > 0 && shared.every((name) => same(one[name], other[name]));
};
let lighting = false;

function light(chosen) {
  lighting = true;
  places.forEach((source, place) => {
    const all = Array.from(source.data.row, (_, index) => index);
    source.selected.indices = all.filter((index) => chosen.some((one) => agree(one, own(place, index) ?? {})));
  });
  rows.forEach((row, index) => {
    row.classList.toggle("dx-chosen", chosen.some((one) => agree(one, rows_set[index] ?? {})));
  });
  lighting = false;
}

places.forEach((source, place) => {
  source.selected.properties.indices.change.connect(() => {
    if (!lighting) light(source.selected.indices.map((index) => own(place, index)));
  });
});
rows.forEach((row, index) => {
  row.addEventListener("click", () => light(rows_set[index] ? [rows_set[index]] : []));
  row.addEventListener("keydown", (event) => event.key === "Enter" && row.click());
});
