// The extension carries two files of this repository as text: what lists a kernel's models, and the tour.
// Neither the tour nor the styles need the white space that they are written with.
const compact = [require.resolve('./compact.js')];

module.exports = {
  module: {
    rules: [
      { test: /\.(py|ipynb)$/, type: 'asset/source' },
      { test: /\.ipynb$/, use: compact },
      { test: /base\.css$/, use: compact }
    ]
  }
};
