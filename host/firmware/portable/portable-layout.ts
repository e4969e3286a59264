/** The kinds of C library that an agent can be exported as. */
export const PORTABLE_TARGETS = ["c", "esp-idf", "zephyr", "arduino"] as const;
export type PortableTarget = (typeof PORTABLE_TARGETS)[number];

/** What the build files of every target hand to the compiler. */
export const PORTABLE_FLAGS: readonly string[] = ["-O2", "-fno-strict-aliasing"];

/** Where the parts of a library go, and which of its own files a target adds. */
export interface PortableLayout {
  /** Purpose, as text. */
  readonly title: string;
  /** Folder of dormouse.h. */
  readonly include: string;
  /** Folder of everything else that is compiled. */
  readonly src: string;
  /** Templates of boards/portable/<target> and their destinations. */
  readonly files: Readonly<Record<string, string>>;
  /** How to build it. */
  readonly how: string;
}

export const PORTABLE_LAYOUTS: Readonly<Record<PortableTarget, PortableLayout>> = {
  c: {
    title: "any C99 compiler, with CMake",
    include: "include",
    src: "src",
    files: { "CMakeLists.txt": "CMakeLists.txt", "main.c": "examples/main.c" },
    how: "`cmake -B build && cmake --build build`, then `build/dormouse-example < frames.bin` (dormouse_frames.h says what a frame is; `--bare` for a file of counts alone). Or add the folder with add_subdirectory and link `dormouse`.",
  },
  "esp-idf": {
    title: "ESP-IDF 5 and 6",
    include: "components/dormouse/include",
    src: "components/dormouse/src",
    files: {
      "CMakeLists.txt": "components/dormouse/CMakeLists.txt",
      "idf_component.yml": "components/dormouse/idf_component.yml",
      "example-CMakeLists.txt": "CMakeLists.txt",
      "example-main-CMakeLists.txt": "main/CMakeLists.txt",
      "main.c": "main/main.c",
    },
    how: "The folder is a project: `idf.py set-target esp32s3 build flash`. The component is components/dormouse; copy it into your own project.",
  },
  zephyr: {
    title: "Zephyr",
    include: "include",
    src: "src",
    files: {
      "module.yml": "zephyr/module.yml",
      "CMakeLists.txt": "zephyr/CMakeLists.txt",
      Kconfig: "zephyr/Kconfig",
      "sample-CMakeLists.txt": "samples/decide/CMakeLists.txt",
      "prj.conf": "samples/decide/prj.conf",
      "main.c": "samples/decide/src/main.c",
    },
    how: "The folder is a module: name it in ZEPHYR_EXTRA_MODULES (or west.yml) and set CONFIG_DORMOUSE=y; `west build -b nrf52840dk/nrf52840 samples/decide` builds the sample.",
  },
  arduino: {
    title: "the Arduino IDE",
    include: "src",
    src: "src",
    files: { "library.properties": "library.properties", "Decide.ino": "examples/Decide/Decide.ino" },
    how: "Put the folder into your sketchbook's libraries folder, or zip it and choose Sketch → Include Library → Add .ZIP Library. File → Examples has Decide. A board needs 32 bits.",
  },
};
