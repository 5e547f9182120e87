"""Uses of documents, secrets and formats in a layer: by what is used, code, and what it binds to `answer`."""

from __future__ import annotations

from typing import Any

USES: dict[str, tuple[str, Any]] = {
    "lxml, beautifulsoup4": (
        """
from bs4 import BeautifulSoup
from lxml import etree, html, isoschematron, objectify
sheet = etree.XSLT(etree.XML('<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    '<xsl:template match="/"><b><xsl:value-of select="count(//a)"/></b></xsl:template></xsl:stylesheet>'))
schema = etree.XMLSchema(etree.XML('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    '<xs:element name="n" type="xs:integer"/></xs:schema>'))
rules = isoschematron.Schematron(etree.XML('<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern id="p">'
    '<rule context="n"><assert test="@a">none</assert></rule></pattern></schema>'))
try:
    etree.XML("<a>")
except etree.XMLSyntaxError as error:
    broken = error.code
answer = [str(sheet(etree.XML("<r><a/><a/></r>"))).split("?>")[1].strip(), schema.validate(etree.XML("<n>1</n>")),
          schema.validate(etree.XML("<n>x</n>")), rules.validate(etree.XML("<n/>")), broken,
          html.fromstring("<p>a<br>b</p>").text_content(), int(objectify.fromstring("<r><n>3</n></r>").n),
          [tag.text for tag in BeautifulSoup("<ul><li>1<li>2</ul>", "lxml").select("ul > li")],
          BeautifulSoup("<p>x", "html.parser").p.text]
""",
        ["<b>2</b>", True, False, False, 77, "ab", 3, ["1", "2"], "x"],
    ),
    "cryptography, paramiko, pyjwt, bcrypt, passlib": (
        """
import datetime, io, bcrypt, jwt, paramiko
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from passlib.hash import pbkdf2_sha256
key = ed25519.Ed25519PrivateKey.generate()
try:
    key.public_key().verify(b"0" * 64, b"data")
except InvalidSignature:
    refused = True
private = rsa.generate_private_key(65537, 2048)
token = jwt.encode({"a": 1}, private, "RS256")
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
day = datetime.datetime(2026, 11, 22)
certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    .serial_number(1).not_valid_before(day).not_valid_after(day + datetime.timedelta(1)).sign(private, hashes.SHA256()))
box = Fernet(Fernet.generate_key())
said = io.StringIO()
paramiko.RSAKey.generate(2048).write_private_key(said)
answer = [len(key.sign(b"data")), refused, jwt.decode(token, private.public_key(), ["RS256"]),
          x509.load_pem_x509_certificate(certificate.public_bytes(serialization.Encoding.PEM)).subject.rfc4514_string(),
          box.decrypt(box.encrypt(b"text")).decode(), bcrypt.checkpw(b"p", bcrypt.hashpw(b"p", bcrypt.gensalt(4))),
          pbkdf2_sha256.verify("p", pbkdf2_sha256.using(rounds=10).hash("p")), "PRIVATE KEY" in said.getvalue()]
""",
        [64, True, {"a": 1}, "CN=shop.example", "text", True, True, True],
    ),
    "jsonschema": (
        """
import jsonschema
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
schema = {"$ref": "#/$defs/part", "$defs": {"part": {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "day": {"type": "string", "format": "date"}}}}}
checked = Draft202012Validator(schema, format_checker=FormatChecker())
Draft7Validator.check_schema({"type": "string"})
try:
    Draft202012Validator.check_schema({"type": 12})
except jsonschema.SchemaError:
    refused = True
answer = [sorted(error.validator for error in checked.iter_errors({"id": "x", "day": "never"})), refused,
          checked.is_valid({"id": 1, "day": "2026-11-22"})]
""",
        [["format", "type"], True, True],
    ),
    "babel, pytz, tzdata, dateutil": (
        """
import datetime, zoneinfo, babel.dates, babel.numbers, dateutil.tz, dateutil.zoneinfo, dateutil.parser, pytz, tzlocal
zoneinfo.reset_tzpath([])  # so that it asks tzdata
day = datetime.datetime(2026, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Zurich"))
answer = [day.utcoffset().seconds,
          str(pytz.timezone("Asia/Tokyo").localize(datetime.datetime(2026, 1, 1)).utcoffset()),
          babel.numbers.format_currency(1234.5, "EUR", locale="de_DE"),
          babel.dates.format_date(day, "full", locale="fr"),
          babel.dates.get_timezone_name(pytz.timezone("Europe/Berlin"), locale="en"),
          len(babel.localedata.locale_identifiers()) > 500,
          dateutil.parser.parse("Nov 22nd 2026 at 5pm").isoformat(),
          dateutil.zoneinfo.get_zonefile_instance().get("Europe/Rome") is not None,
          len(zoneinfo.available_timezones()) > 400, len(pytz.all_timezones) > 400]
""",
        [7200, "9:00:00", "1.234,50\u00a0€", "mercredi 1 juillet 2026", "Central European Time", True,
         "2026-11-22T17:00:00", True, True, True],
    ),
    "reportlab, pikepdf": (
        """
import io, pikepdf
from reportlab.lib.pagesizes import A4
from reportlab.graphics.barcode import qr
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate
from reportlab.lib.styles import getSampleStyleSheet
out = io.BytesIO()
SimpleDocTemplate(out, pagesize=A4).build([Paragraph("Text <b>here</b>", getSampleStyleSheet()["Normal"])])
page = canvas.Canvas("two.pdf")
page.setFont("Helvetica", 12); page.drawString(9, 9, "x"); page.showPage(); page.save()
with pikepdf.open(out) as first, pikepdf.open("two.pdf") as second:
    first.pages.extend(second.pages)
    first.save("all.pdf", encryption=pikepdf.Encryption(owner="o", user="u"))
try:
    pikepdf.open("all.pdf")
except pikepdf.PasswordError:
    refused = True
answer = [len(pikepdf.open("all.pdf", password="u").pages), refused]
""",
        [2, True],
    ),
    "serializers, loggers and command lines": (
        """
import io, attrs, click, dotenv, loguru, marshmallow, msgpack, orjson, structlog, tenacity, tqdm, typer, ujson
import xmltodict, yaml
import rich.console, rich.markdown, rich.syntax
from typer.testing import CliRunner
class Row(marshmallow.Schema):
    n = marshmallow.fields.Integer(required=True)
app = typer.Typer()
@app.command()
def hello(name: str, loud: bool = False):
    print(name.upper() if loud else name)
said = io.StringIO()
loguru.logger.remove(); loguru.logger.add(said, format="{message}"); loguru.logger.info("hello {}", 1)
shown = io.StringIO()
rich.console.Console(file=shown, width=60).print(rich.markdown.Markdown("# Title"), ":sun:")
rich.console.Console(file=shown, width=60).print(rich.syntax.Syntax("x = 1", "python"), "[b]b[/b]")
tries = []
@tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_none(), reraise=False)
def fails():
    tries.append(1)
    raise ValueError
try:
    fails()
except tenacity.RetryError:
    pass
@attrs.define
class Pair:
    a: int = attrs.field(validator=attrs.validators.instance_of(int))
answer = [orjson.loads(orjson.dumps({"a": Row().load({"n": "1"})})),
          msgpack.unpackb(msgpack.packb([1, b"x", None]))[0],
          ujson.dumps({"a": 1}), xmltodict.parse("<a><b>1</b></a>"), yaml.load("a: [1, 2]", yaml.CSafeLoader),
          len(tries),
          said.getvalue().strip(),
          CliRunner().invoke(app, ["x", "--loud"]).output.strip(), "Title" in shown.getvalue(),
          Pair(1).a, list(tqdm.tqdm([1], file=io.StringIO())), dict(dotenv.dotenv_values(stream=io.StringIO("A=1"))),
          structlog.processors.JSONRenderer()(None, "", {"a": 1})]
""",
        [{"a": {"n": 1}}, 1, '{"a":1}', {"a": {"b": "1"}}, {"a": [1, 2]}, 3, "hello 1", "X", True, 1, [1], {"A": "1"},
         '{"a": 1}'],
    ),
}  # fmt: skip
