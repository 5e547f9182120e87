"""Uses of numbers, pictures and language in a layer: by what is used, code, and what it binds to `answer`."""

from __future__ import annotations

from typing import Any

USES: dict[str, tuple[str, Any]] = {
    "pandas, openpyxl": (
        """
import io, pandas as pd
rows = pd.read_csv(io.StringIO("kind,day,n\\na,2026-11-21,1\\nb,2026-11-22,2\\na,2026-11-22,3\\n"), parse_dates=["day"])
rows.to_excel("rows.xlsx", index=False)
again = pd.read_excel("rows.xlsx")
answer = [
    rows.groupby("kind")["n"].sum().to_dict(),
    rows.set_index("day")["n"].resample("D").sum().tolist(),
    rows.merge(pd.DataFrame({"kind": ["a"], "name": ["first"]}))["name"].tolist(),
    rows["day"].dt.tz_localize("Europe/Zurich").dt.tz_convert("UTC").astype(str).tolist()[0],
    again.equals(rows.astype(again.dtypes)),
    pd.eval("2 * 3"),
]
""",
        [{"a": 4, "b": 2}, [1, 5], ["first", "first"], "2026-11-20 23:00:00+00:00", True, 6],
    ),
    "scikit-learn, joblib": (
        """
import joblib, numpy as np
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
x, y = load_iris(return_X_y=True)
models = [make_pipeline(StandardScaler(), PCA(3), LogisticRegression()), RandomForestClassifier(20, random_state=1),
          HistGradientBoostingClassifier(max_iter=10)]
answer = [bool(cross_val_score(model, x, y).mean() > 0.85) for model in models]
joblib.dump(models[0].fit(x, y), "model")
answer.append(bool(np.array_equal(joblib.load("model").predict(x), models[0].predict(x))))
answer.append("Pipeline" in models[0]._repr_html_())
""",
        [True] * 5,
    ),
    "scipy": (
        """
import numpy as np
from scipy import fft, integrate, interpolate, linalg, ndimage, optimize, signal, sparse, spatial, special, stats
from scipy.sparse.linalg import eigsh, spsolve
a = np.array([[3.0, 1], [1, 2]])
answer = [
    linalg.solve(a, [9, 8]).round(6).tolist(),
    spsolve(sparse.csc_matrix(a), [9, 8]).round(6).tolist(),
    round(optimize.brentq(lambda x: x**2 - 2, 0, 2), 6),
    optimize.linprog([-1, -2], A_ub=[[1, 1]], b_ub=[4]).x.tolist(),
    round(integrate.quad(np.sin, 0, np.pi)[0], 6),
    round(float(stats.norm.cdf(1.96)), 3),
    spatial.KDTree(np.eye(3)).query([0.9, 0, 0])[1].item(),
    round(float(special.gamma(5)), 6),
    round(float(interpolate.CubicSpline([0, 1, 2], [0, 1, 4])(1.5)), 6),
    signal.find_peaks([0, 2, 0, 3, 0])[0].tolist(),
    ndimage.label([[1, 0, 1]])[1],
    bool(np.allclose(fft.ifft(fft.fft(a)), a)),
    eigsh(sparse.diags([1.0, 2, 3, 4]).tocsc(), 1, return_eigenvectors=False).round(6).tolist(),
]
""",
        [[2, 3], [2, 3], 1.414214, [0, 4], 2.0, 0.975, 0, 24.0, 2.25, [1, 3], 2, True, [4.0]],
    ),
    "matplotlib, seaborn": (
        """
import os; os.environ["MPLCONFIGDIR"] = "."
import io, matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt, numpy as np, pandas as pd, seaborn
def saved(kind):
    out = io.BytesIO()
    plt.savefig(out, format=kind)
    return out.getvalue()
figure, (left, right) = plt.subplots(1, 2)
left.plot([1, 2, 3], label="$\\\\sqrt{x}$"); left.legend(); left.set_title("Größe")
seaborn.histplot(pd.DataFrame({"x": np.arange(50) % 7}), x="x", kde=True, ax=right)
pictures = [saved(kind) for kind in ("png", "svg", "pdf", "jpg")]
answer = [[found[:4].hex() for found in pictures][0], b"<svg" in pictures[1], pictures[2][:4].decode(),
          all(len(found) > 5000 for found in pictures)]
plt.style.use("ggplot"); plt.figure().add_subplot(projection="3d").plot_surface(*np.meshgrid([0, 1], [0, 1]), np.eye(2))
answer.append(saved("png")[1:4].decode())
""",
        ["89504e47", True, "%PDF", True, "PNG"],
    ),
    "shapely, pyproj, geopandas": (
        """
import geopandas, pyogrio, pyproj, shapely
from shapely.geometry import Point, box
circle = Point(0, 0).buffer(1)
places = geopandas.GeoDataFrame({"name": ["in", "out"]}, geometry=[Point(8.5, 47.4), Point(0, 0)], crs=4326)
land = geopandas.GeoDataFrame({"land": ["ch"]}, geometry=[box(6, 46, 10, 48)], crs=4326)
places.to_file("places.gpkg")
places.to_file("places.geojson", driver="GeoJSON")
try:
    shapely.from_wkt("POINT (")
except shapely.errors.GEOSException:
    refused = True
east, north = pyproj.Transformer.from_crs(4326, 2056, always_xy=True).transform(8.5, 47.4)
answer = [round(circle.area, 2), round(circle.intersection(box(0, 0, 2, 2)).area, 2), refused,
          geopandas.sjoin(places, land)["name"].tolist(), [round(east, -3), round(north, -3)],
          geopandas.read_file("places.gpkg").to_crs(2056).crs.name,
          len(geopandas.read_file("places.geojson")),
          round(pyproj.Geod(ellps="WGS84").inv(0, 0, 1, 0)[2] / 1000)]
""",
        [3.14, 0.78, True, ["in"], [2680000, 1250000], "CH1903+ / LV95", 2, 111],
    ),
    "nltk, regex, tokenizers, tiktoken": (
        """
import nltk, regex, tiktoken
from nltk.stem import PorterStemmer, SnowballStemmer
from nltk.tokenize import TreebankWordTokenizer, wordpunct_tokenize
from nltk.translate.bleu_score import sentence_bleu
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
learned = Tokenizer(models.BPE(unk_token="[UNK]"))
learned.pre_tokenizer = pre_tokenizers.Whitespace()
learned.train_from_iterator(["low lower lowest"] * 20, trainers.BpeTrainer(vocab_size=40, show_progress=False))
ranks = {bytes([n]): n for n in range(256)}
own = tiktoken.Encoding("own", pat_str=r"\\w+|\\s", mergeable_ranks=ranks, special_tokens={})
answer = [TreebankWordTokenizer().tokenize("They don't."), PorterStemmer().stem("running"),
          SnowballStemmer("german").stem("laufenden"), wordpunct_tokenize("a.b"),
          sentence_bleu([["a", "b", "c", "d"]], ["a", "b", "c", "d"]), learned.encode("low").tokens,
          regex.findall(r"\\p{Lu}\\p{Ll}+", "Ärger und Öl"), own.decode(own.encode("text")),
          len(tiktoken.list_encoding_names()) > 3]
""",
        [["They", "do", "n't", "."], "run", "laufend", ["a", ".", "b"], 1.0, ["low"], ["Ärger", "Öl"], "text", True],
    ),
    "opencv, onnxruntime": (
        """
import cv2, numpy as np, onnxruntime
picture = np.zeros((64, 64, 3), np.uint8)
cv2.circle(picture, (32, 32), 12, (0, 0, 255), -1)
kinds = [cv2.imdecode(cv2.imencode(kind, picture)[1], 1).shape for kind in (".png", ".jpg", ".webp", ".tiff")]
try:
    cv2.cvtColor(picture, 99999)
except cv2.error as error:
    refused = True
contours, _ = cv2.findContours(cv2.Canny(picture, 50, 150), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
writer = cv2.VideoWriter("v.avi", cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 64))
for _ in range(5):
    writer.write(picture)
writer.release()
def field(number, value):  # of a protobuf message
    if isinstance(value, int):
        return bytes((number << 3, value))
    value = value.encode() if isinstance(value, str) else value
    return bytes((number << 3 | 2, len(value))) + value
def tensor(name):
    shape = field(2, field(1, field(1, 2)))
    return field(1, name) + field(2, field(1, field(1, 1) + shape))
node = field(1, "x") + field(1, "x") + field(2, "y") + field(4, "Add")
graph = field(1, node) + field(2, "g") + field(11, tensor("x")) + field(12, tensor("y"))
session = onnxruntime.InferenceSession(field(1, 8) + field(8, field(1, "") + field(2, 13)) + field(7, graph))
try:
    onnxruntime.InferenceSession(b"no model")
except Exception as error:
    failed = type(error).__name__
answer = [kinds, refused, len(contours), cv2.VideoCapture("v.avi").read()[0], cv2.resize(picture, (8, 8)).shape,
          session.run(None, {"x": np.array([1, 2], np.float32)})[0].tolist(), failed]
""",
        [[[64, 64, 3]] * 4, True, 1, True, [8, 8, 3], [2.0, 4.0], "InvalidProtobuf"],
    ),
    "statsmodels, networkx, sympy": (
        """
import networkx as nx, numpy as np, pandas as pd, sympy
import statsmodels.api as sm, statsmodels.formula.api as smf
from statsmodels.tsa.arima.model import ARIMA
rows = pd.DataFrame({"x": np.arange(20.0), "y": 3 * np.arange(20.0) + 1 + np.sin(np.arange(20))})
fit = smf.ols("y ~ x + np.log1p(x)", rows).fit()
x = sympy.Symbol("x")
graph = nx.path_graph(5)
answer = [round(smf.ols("y ~ x", rows).fit().params["x"], 1), "R-squared" in str(fit.summary()),
          len(ARIMA(rows["y"], order=(1, 0, 0)).fit().forecast(3)), str(sympy.integrate(sympy.sin(x) * x, x)),
          [str(found) for found in sympy.solve(x**2 - 2, x)], sympy.latex(x / 2), str(sympy.lambdify(x, x**2)(3)),
          nx.shortest_path(graph, 0, 4), round(sum(nx.pagerank(graph).values()), 6), sympy.parse_expr("2*3") == 6]
""",
        [3.0, True, 3, "-x*cos(x) + sin(x)", ["-sqrt(2)", "sqrt(2)"], "\\frac{x}{2}", "9", [0, 1, 2, 3, 4], 1.0, True],
    ),
}  # fmt: skip
