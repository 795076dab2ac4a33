# The page, bundled, hashed and compressed by page/build.mjs into one C file, once for all presets.
set(SPLOT_PAGE_ASSETS "")
