// The extension carries two files of this repository as text: what lists a kernel's models, and the tour.
module.exports = { module: { rules: [{ test: /\.(py|ipynb)$/, type: 'asset/source' }] } };
