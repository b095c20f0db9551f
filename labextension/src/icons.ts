import { LabIcon } from '@jupyterlab/ui-components';

/** The unit circle with three eigenvalues: one pair that decays, one that stays. */
export const circleIcon = new LabIcon({
  name: 'dyn-explorer:circle',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" style="fill: none" stroke="#616161" stroke-width="1.8">
    <circle cx="11.5" cy="12" r="8.4"/>
  </g>
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <circle cx="19.9" cy="12" r="2.8"/><circle cx="9.5" cy="8.2" r="2.2"/><circle cx="9.5" cy="15.8" r="2.2"/>
  </g>
</svg>`
});

/** For the launcher: the circle, and the way round it. */
export const tourIcon = new LabIcon({
  name: 'dyn-explorer:tour',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="52" viewBox="0 0 52 52">
  <g class="jp-icon3" stroke="#616161" stroke-width="2.5" style="fill: none">
    <circle cx="26" cy="26" r="20"/>
  </g>
  <path d="M21 17.5 35.5 26 21 34.5Z" fill="#e46e2e"/>
  <g fill="#e46e2e"><circle cx="46" cy="26" r="4"/><circle cx="16" cy="8.7" r="4"/><circle cx="16" cy="43.3" r="4"/></g>
</svg>`
});

/** For the launcher: the circle, looked at closely. */
export const exploreIcon = new LabIcon({
  name: 'dyn-explorer:explore',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="52" viewBox="0 0 52 52">
  <g class="jp-icon3" stroke="#616161" stroke-width="2.5" style="fill: none">
    <circle cx="22" cy="22" r="16"/><path d="M34 34 46 46" stroke-width="5" stroke-linecap="round"/>
  </g>
  <g fill="#e46e2e">
    <circle cx="31" cy="22" r="3.4"/><circle cx="19" cy="14.5" r="3.4"/><circle cx="19" cy="29.5" r="3.4"/>
  </g>
</svg>`
});
