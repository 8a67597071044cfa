*** Test Cases ***
Does Not Import It
    Fail    before\nCause: quota (environment)
