"""The arguments of the command, and what ``--help`` says of them."""

import argparse
import math
import re
from pathlib import Path

from sklearn_ae._base.version import __version__
from sklearn_ae.autoencoder.architectures import ARCHITECTURES
from sklearn_ae.autoencoder.detector import AutoencoderAnomalyDetector
from sklearn_ae.thresholds import ConformalDetector

# Of a side, in pixels: more is a slip of the keyboard, and would take all memory.
_LARGEST_SIZE = 16_384

_DESCRIPTION = """\
Find defects in images: fit a detector to a folder of images of good parts, and score others.

Images are BMP, JPEG, PNG and TIFF files, at any depth of a folder; hidden files and linked folders
are left out, and files with other endings. They are written to a temporary file, never all held in
memory: set the environment variable TMPDIR to a folder with space for them."""

_EXAMPLE = """\
example:
  sklearn-ae fit good/ -o model.skae --image-size 256
  sklearn-ae calibrate model.skae other_good/ -o calibrated.skae --false-alarm-rate 0.01
  sklearn-ae score calibrated.skae today/ --csv scores.csv --maps maps/
  sklearn-ae export calibrated.skae --onnx model.onnx

exit status:
  0    all went well, whether anomalies were found or not
  1    an error, such as an image that cannot be read; it is named on the standard error stream
  2    wrong arguments
  130  interrupted by Ctrl-C, 143 by SIGTERM, 129 by the end of its terminal

Files are written whole or not at all: what was there before an error or an interrupt stays.
"""

_COLUMNS = """\
columns of the table:
  file      path of the image
  score     the higher, the more normal
  decision  score minus the threshold of the model: below 0 is an anomaly
  label     -1 for an anomaly, else 1
  p_value   how rare such scores are among normal images, if the model is calibrated

An image that cannot be read has a row with the file alone, is named on the standard error stream,
and makes the exit status 1.
"""


def make_parser():
    """Return the parser of the command's arguments.

    Returns
    -------
    parser : argparse.ArgumentParser
        What it parses has an attribute `command`, the name of the subcommand, and its options.
    """
    parser = argparse.ArgumentParser(
        prog="sklearn-ae",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (_add_fit, _add_score, _add_calibrate, _add_export, _add_info):
        command = add(commands)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.add_argument(
            "--debug",
            action="store_true",
            help="show where in the program an error came from, and TensorFlow's own messages",
        )
    return parser


def _add_fit(commands):
    defaults = AutoencoderAnomalyDetector().get_params(deep=False)
    parser = commands.add_parser(
        "fit",
        help="fit a detector to a folder of images of good parts",
        description="Fit a detector to images of good parts, and write it to a file.",
        epilog="example:\n  sklearn-ae fit good/ -o model.skae --image-size 256\n",
    )
    parser.add_argument("folder", type=_path, metavar="FOLDER", help="images of good parts")
    _add_output(parser)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--image-size",
        type=_size,
        metavar="SIZE",
        help="resize images, here and whenever the model is used, to 256 (256×256 pixels) or "
        "480x640 (480 high, 640 wide), say; without it, they must be of one size",
    )
    sizes.add_argument(
        "--tile-size",
        type=_size,
        metavar="SIZE",
        help="cut images into tiles of this size, which find small defects in large images of any "
        "size",
    )
    _add_mode(parser)
    parser.add_argument(
        "--architecture",
        choices=("auto", *ARCHITECTURES),
        default="auto",
        help="what the network looks like; features is for photographs and needs the extra "
        "'pretrained' (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=_epochs,
        metavar="N",
        default=defaults["epochs"],
        help="largest number of passes over the images (default: %(default)s)",
    )
    _add_false_alarm_rate(parser, defaults, "held-out images that may be flagged; nominal")
    parser.add_argument(
        "--trim",
        type=_trim,
        metavar="SHARE",
        default=defaults["trim"],
        help="share of the images to leave out, the most abnormal ones, for defects that may be "
        "among them unnoticed (default: %(default)s)",
    )
    parser.add_argument(
        "--random-state",
        type=_seed,
        metavar="SEED",
        default=0,
        help="two fits with one number give one model (default: %(default)s)",
    )
    return parser


def _add_score(commands):
    parser = commands.add_parser(
        "score",
        help="score a folder of images, as a table and as maps of where they are abnormal",
        description="Score images with a model. They are resized, and turned into gray or color, "
        "as those that it was fitted to.",
        epilog=f"{_COLUMNS}\nexample:\n"
        "  sklearn-ae score model.skae today/ --csv scores.csv --maps maps/\n",
    )
    _add_model(parser)
    parser.add_argument("folder", type=_path, metavar="FOLDER", help="images to score")
    parser.add_argument(
        "--csv",
        type=_path,
        metavar="FILE",
        help="where to write the table, else to the standard output",
    )
    parser.add_argument(
        "--maps",
        type=_path,
        metavar="DIR",
        help="folder for pictures of where the images are abnormal, one for each; needs the extra "
        "'plot'",
    )
    parser.add_argument(
        "--map-max",
        type=_positive,
        metavar="VALUE",
        help="value that is drawn in the darkest color, for pictures of several folders that are "
        "to be compared (default: the largest one of the folder, which is printed)",
    )
    return parser


def _add_calibrate(commands):
    defaults = ConformalDetector(None).get_params(deep=False)
    parser = commands.add_parser(
        "calibrate",
        help="give a model p-values and a guaranteed false-alarm rate",
        description="Set the threshold of a model by normal images that it was not fitted to, so "
        "that its false-alarm rate is guaranteed, and give it p-values. Prints what the guarantee "
        "is.",
        epilog="example:\n  sklearn-ae calibrate model.skae other_good/ -o calibrated.skae "
        "--false-alarm-rate 0.01\n",
    )
    _add_model(parser)
    parser.add_argument(
        "folder", type=_path, metavar="FOLDER", help="other images of good parts, none of the fit"
    )
    _add_output(parser)
    _add_false_alarm_rate(parser, defaults, "new normal images that may be flagged")
    parser.add_argument(
        "--confidence",
        type=_share,
        metavar="PROBABILITY",
        default=defaults["confidence"],
        help="how sure to be that the rate is kept to by these images, such as 0.95, instead of on "
        "average over calibrations (default: on average)",
    )
    return parser


def _add_export(commands):
    parser = commands.add_parser(
        "export",
        help="write a model as ONNX, which needs no TensorFlow",
        description="Write a model as ONNX, which ONNX Runtime computes without TensorFlow. Needs "
        "the extra 'onnx'.",
        epilog="example:\n  sklearn-ae export model.skae --onnx model.onnx\n",
    )
    _add_model(parser)
    parser.add_argument(
        "--onnx",
        type=_path,
        metavar="FILE",
        required=True,
        help="file to write, replaced if it is there",
    )
    return parser


def _add_info(commands):
    parser = commands.add_parser(
        "info",
        help="say what is in a model file",
        description="Say what is in a model file: what images it takes, where its threshold is, "
        "what made it. Reads no weights and runs nothing.",
        epilog="example:\n  sklearn-ae info model.skae\n",
    )
    _add_model(parser)
    return parser


def _add_model(parser):
    parser.add_argument("model", type=_path, metavar="MODEL", help="file that `fit` wrote")


def _add_output(parser):
    parser.add_argument(
        "-o",
        "--output",
        type=_path,
        metavar="MODEL",
        required=True,
        help="file to write, such as model.skae; replaced if it is there",
    )


def _add_mode(parser):
    parser.add_argument(
        "--mode",
        type=_mode,
        metavar="{gray,color}",
        help="turn all images into gray, or all into color ones; without it, they must be alike",
    )


def _add_false_alarm_rate(parser, defaults, meaning):
    parser.add_argument(
        "--false-alarm-rate",
        type=_share,
        metavar="SHARE",
        default=defaults["false_alarm_rate"],
        help=f"share of {meaning} (default: %(default)s)",
    )


def _path(text):
    """Return a path, which the empty text of a shell's unset variable is not."""
    if not text:
        raise argparse.ArgumentTypeError("a path must not be empty.")
    return Path(text)


def _mode(text):
    """Return what load_images calls gray or color, in either spelling."""
    modes = {"gray": "gray", "grey": "gray", "color": "color", "colour": "color"}
    if text not in modes:
        raise argparse.ArgumentTypeError(f"must be gray or color. Received: {text!r}.")
    return modes[text]


def _epochs(text):
    """Return a number, or "auto", on which argparse calls this too, as it is a default."""
    return text if text == "auto" else _number(text, int, lambda n: n >= 1, "an integer from 1 on")


def _seed(text):
    return _number(text, int, lambda n: 0 <= n < 2**32, "an integer from 0 to 2**32 - 1")


def _share(text):
    return _number(text, float, lambda share: 0 < share < 1, "a number between 0 and 1")


def _trim(text):
    return _number(text, float, lambda share: 0 <= share < 0.5, "a number from 0 to below 0.5")


def _positive(text):
    return _number(text, float, lambda x: 0 < x < math.inf, "a number above 0")


def _number(text, kind, is_allowed, meaning):
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not is_allowed(number):
        raise argparse.ArgumentTypeError(f"must be {meaning}. Received: {text!r}.")
    return number


def _size(text):
    """Return (height, width) of a size such as 256 or 480x640."""
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text)
    height, width = (match[1], match[2] or match[1]) if match else (0, 0)
    if not all(1 <= int(side) <= _LARGEST_SIZE for side in (height, width)):
        raise argparse.ArgumentTypeError(
            "a size is a number of pixels such as 256, or height and width such as 480x640, each "
            f"at most {_LARGEST_SIZE}. Received: {text!r}."
        )
    return int(height), int(width)
