*** Settings ***
Library             ../../../../../libraries/ReportLibrary/

*** Test Cases ***
Imports It By Itself
    Record Measurement    b    2
